#include "services/stdio_stream.hpp"

#include <utility>

namespace axl::services {

namespace {

Buffer as_buffer(std::string_view text) { return Buffer::copy_of(std::as_bytes(std::span{text})); }

http::Headers with_session(http::Headers headers, std::string_view session) {
  if (!session.empty()) headers.add("Mcp-Session-Id", session);
  return headers;
}

}  // namespace

void StdioStream::attach(http::Exchange exchange) {
  if (exchange_) {
    exchange_->set_events(nullptr);
    if (exchange_->started()) {
      exchange_->finish();
    } else {
      exchange_->respond_error(409, "another request has taken this stream");
    }
  }
  exchange_ = std::move(exchange);
  exchange_->set_events(this);
}

void StdioStream::open(std::string_view session, bool prime) {
  if (!exchange_ || exchange_->started() || form_ == Form::json) return;
  exchange_->start(200, with_session({{"Content-Type", "text/event-stream"},
                                      {"Cache-Control", "no-cache, no-transform"},
                                      {"X-Accel-Buffering", "no"}},
                                     session));
  if (prime) write({last_, {}});
}

void StdioStream::write(const Event& event) {
  std::string text;
  text.reserve(event.message.size() + 64);
  if (numbered) {
    text.append("id: ").append(std::to_string(number_)).append("-").append(std::to_string(event.number)).append("\n");
  }
  text.append("data: ").append(event.message).append("\n\n");
  exchange_->write(as_buffer(text));
}

std::uint64_t StdioStream::add(std::string message) {
  kept_.push_back({++last_, std::move(message)});
  if (exchange_ && exchange_->started()) {
    write(kept_.back());
    sent_ = last_;
  }
  return last_;
}

void StdioStream::send_kept(std::optional<std::uint64_t> after) {
  if (!exchange_ || !exchange_->started()) return;
  const auto from = after.value_or(sent_);
  for (const auto& event : kept_) {
    if (event.number > from) write(event);
  }
  sent_ = last_;
}

std::size_t StdioStream::drop_oldest() {
  if (kept_.empty()) return 0;
  const auto size = kept_.front().message.size();
  kept_.pop_front();
  return size;
}

void StdioStream::respond(int status, std::string_view session, std::string_view type, std::string_view body) {
  if (exchange_) {
    exchange_->set_events(nullptr);
    exchange_->respond(status, with_session({{"Content-Type", type}}, session), as_buffer(body));
    exchange_.reset();
  }
  done_ = true;
}

void StdioStream::keep_alive() {
  if (exchange_ && exchange_->started() && exchange_->unsent() == 0) exchange_->write(as_buffer(": here\n\n"));
}

void StdioStream::finish(std::string_view session) {
  done_ = true;
  if (!exchange_) return;
  if (form_ == Form::json) {
    std::string body = batch ? "[" : "";
    for (const auto& event : kept_) {
      if (&event != &kept_.front()) body += ',';
      body += event.message;
    }
    if (batch) body += ']';
    return respond(200, session, "application/json", body);
  }
  exchange_->set_events(nullptr);
  exchange_->finish();
  exchange_.reset();
}

void StdioStream::cut(int status, std::string_view text) {
  done_ = true;
  if (!exchange_) return;
  exchange_->set_events(nullptr);
  if (exchange_->started()) {
    exchange_->abort();
  } else {
    exchange_->respond_error(status, text);
  }
  exchange_.reset();
}

void StdioStream::on_aborted(const Error&) {
  exchange_.reset();
  owner_.on_left(number_);
}

}  // namespace axl::services
