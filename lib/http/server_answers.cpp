// The writing half of a server's connection.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/expect.hpp"
#include "http/encode.hpp"
#include "http/exchange_state.hpp"
#include "http/server_connection.hpp"
#include "http/status.hpp"
#include "http/text.hpp"

namespace axl::http {

namespace {
constexpr std::size_t kCopyAtMost = 16 * 1024;    // a body up to this size shares a write with its head
constexpr std::size_t kLarge = 64 * 1024;        // a piece beyond this size must find room among those that wait
constexpr std::size_t kGatherAtMost = 64 * 1024;  // answers to pipelined requests share writes of this size
}  // namespace

using Answer = ExchangeState::Answer;
using BodyFraming = ExchangeState::BodyFraming;

void ServerConnection::body_wanted(ExchangeState& state) {
  const auto& request = state.request;
  if (request.expects_continue && !state.continue_sent && state.answer == Answer::none) {
    state.continue_sent = true;
    send(Buffer::copy_of(as_bytes("HTTP/1.1 100 Continue\r\n\r\n")));
  }
  last_read_ = now_;
  schedule();
}

void ServerConnection::expect_body(const ExchangeState& state) {
  if (state.request.content_length && !state.body_complete) {
    stream_->expect(static_cast<std::size_t>(*state.request.content_length));
  }
}

void ServerConnection::collect(ExchangeState& state) {
  const auto verdict = state.collector->admit();
  if (verdict == BodyCollector::Verdict::ok) {
    expect_body(state);
    body_wanted(state);
  } else {
    refuse_body(state, verdict);
  }
}

void ServerConnection::refuse_body(ExchangeState& state, BodyCollector::Verdict verdict) {
  const auto limit = state.collector->limits().max_bytes;
  state.collector.reset();
  state.body_handler = nullptr;
  auto headers = text_headers();
  if (verdict == BodyCollector::Verdict::no_budget) {
    headers.add("Retry-After", "1");
    respond(state, 503, headers, Buffer::copy_of(as_bytes("Too many request bodies under way\n")), {});
    return;
  }
  const auto length = state.request.content_length;
  const auto text = length ? fmt::format("Message size {} exceeds maximum {}\n", *length, limit)
                           : fmt::format("Message size exceeds maximum {}\n", limit);
  respond(state, 413, headers, Buffer::copy_of(as_bytes(text)), {});
}

// The answer to what is no request. Nothing after it is read.
void ServerConnection::refuse(const ParseError& error) {
  auto text = fmt::format("{} {}", error.status, reason_phrase(error.status));
  if (!error.detail.empty()) text += ": " + error.detail;
  const Headers headers{{"Content-Type", "text/plain; charset=utf-8"}};
  const Framing framing{.content_length = text.size(), .connection = "close"};
  auto answer = encode_response_head(Version::http_1_1, error.status, std::string_view{text}.substr(4), headers, {},
                                     framing, limits_.server, text.size());
  answer.append(as_bytes(text));
  send(std::move(answer));
  keep_alive_ = false;
  linger();
}

// The body of the request under way will not be complete.
void ServerConnection::break_body(int status, std::string_view why) {
  auto& state = *exchange_;
  keep_alive_ = false;
  const auto text = fmt::format("Failed to read body: {}\n", why);
  error_ = Error{status == 408 ? Errc::timed_out : Errc::malformed, text.substr(0, text.size() - 1)};
  if (state.answer == Answer::finished) {
    end_exchange();
    return;
  }
  if (state.answer == Answer::none) {
    state.sent_handler = nullptr;
    respond(state, status, text_headers(), Buffer::copy_of(as_bytes(text)), {});
  }
  if (state.answer == Answer::begun) {
    cut(*error_);
    return;
  }
  broken_ = std::exchange(exchange_, nullptr);
  broken_->connection = nullptr;
  broken_->collector.reset();
  broken_->body_handler = nullptr;
  linger();
}

void ServerConnection::respond(ExchangeState& state, int status, const Headers& headers, Buffer body,
                               SentHandler sent) {
  if (body.size() > kLarge && !owner_.may_wait(*this, body.size())) {
    auto busy = text_headers();
    busy.add("Retry-After", "1");
    return respond(state, 503, busy, Buffer::copy_of(as_bytes("Too many answers wait to be read\n")), std::move(sent));
  }
  std::optional<std::uint64_t> length = body.size();
  if (state.request.is("HEAD")) {
    if (const auto given = headers.get("Content-Length"); given && body.empty()) length = parse_decimal(*given);
  }
  begin_answer(state, status, headers, length, std::move(body));
  state.length_left = 0;
  finish_answer(state, std::move(sent));
}

void ServerConnection::start(ExchangeState& state, int status, const Headers& headers,
                             std::optional<std::uint64_t> length) {
  begin_answer(state, status, headers, length, Buffer{});
  schedule();
}

void ServerConnection::begin_answer(ExchangeState& state, int status, const Headers& headers,
                                    std::optional<std::uint64_t> length, Buffer body) {
  AXL_EXPECT_OR(status >= 200 && status <= 999, status = 500);
  const auto& request = state.request;
  const bool old = request.version == Version::http_1_0;
  const bool bodiless = !status_has_body(status) || request.is("HEAD");
  state.answer = Answer::begun;
  if (state.counts != nullptr) state.counts->add(status);
  state.framing = bodiless ? BodyFraming::none
                  : length ? BodyFraming::length
                  : old    ? BodyFraming::until_close
                           : BodyFraming::chunked;
  state.length_left = length.value_or(0);
  keep_alive_ = may_keep_alive(state, status) && !headers.has_token("Connection", "close");

  Framing framing;
  if (status_has_body(status)) {
    framing.content_length = length;
    framing.chunked = !length && !old;
  }
  if (!keep_alive_) {
    framing.connection = "close";
  } else if (old) {
    framing.connection = "keep-alive";
  }
  if (bodiless) body = Buffer{};
  const bool together = body.size() <= kCopyAtMost;
  auto head = encode_response_head(request.version, status, {}, headers, state.added, framing, limits_.server,
                                   together ? body.size() : 0);
  if (together) {
    head.append(body);
    send(std::move(head));
  } else if (body.headroom() >= head.size()) {
    body.prepend(head);
    send(std::move(body));
  } else {
    send(std::move(head));
    send(std::move(body));
  }
}

// Whether the connection can carry another request after this answer, as far as the answer's beginning can tell.
bool ServerConnection::may_keep_alive(const ExchangeState& state, int status) const noexcept {
  const auto& request = state.request;
  if (!keep_alive_ || !request.keep_alive || draining_ || ended_ || state.framing == BodyFraming::until_close) {
    return false;
  }
  if (state.body_complete) return true;
  if (status == 413) return false;
  if (request.expects_continue && !state.continue_sent) return false;  // nobody knows whether the body will come
  const auto length = request.content_length;
  return !length || *length - std::min(*length, state.body_received) <= limits_.discard_bytes;
}

void ServerConnection::write(ExchangeState& state, Buffer piece) {
  if (piece.empty() || phase_ != Phase::open) return;
  if (piece.size() > kLarge && !owner_.may_wait(*this, piece.size())) {
    cut(Error{Errc::limit_reached, "too much of the answer waits to be read"});
    return;
  }
  switch (state.framing) {
    case BodyFraming::none: return;
    case BodyFraming::until_close:
    case BodyFraming::raw: send(std::move(piece)); break;
    case BodyFraming::length:
      if (piece.size() > state.length_left) {
        cut(Error{Errc::too_large, "more bytes than the announced length"});
        return;
      }
      state.length_left -= piece.size();
      send(std::move(piece));
      break;
    case BodyFraming::chunked: {
      const bool together = piece.size() <= kCopyAtMost;
      auto size = encode_chunk_size(piece.size(), together ? piece.size() + 2 : 0);
      if (together) {
        size.append(piece);
        size.append(as_bytes("\r\n"));
        send(std::move(size));
      } else {
        send(std::move(size));
        send(std::move(piece));
        send(Buffer::copy_of(as_bytes("\r\n")));
      }
    }
  }
}

void ServerConnection::finish(ExchangeState& state, SentHandler sent) {
  if (state.framing == BodyFraming::length && state.length_left > 0) {
    state.sent_handler = std::move(sent);
    cut(Error{Errc::closed, "fewer bytes than the announced length"});
    return;
  }
  if (state.framing == BodyFraming::chunked) send(Buffer::copy_of(as_bytes("0\r\n\r\n")));
  finish_answer(state, std::move(sent));
}

void ServerConnection::switch_protocols(ExchangeState& state, const Headers& headers) {
  keep_alive_ = false;
  state.answer = Answer::begun;
  state.framing = BodyFraming::raw;
  state.body_complete = false;  // what follows the head is the other protocol's
  send(encode_response_head(Version::http_1_1, 101, {}, headers, state.added, {.connection = "Upgrade"},
                            limits_.server, 0));
  last_read_ = now_;
  schedule();
}

void ServerConnection::finish_answer(ExchangeState& state, SentHandler sent) {
  state.answer = Answer::finished;
  state.sent_handler = std::move(sent);
  state.end_offset = written_;
  schedule();
}

// Ends the connection within an answer, so that the client can tell: no end of the body comes. What was written before
// still goes out, unless only a reset can say that a body without any framing is not complete.
void ServerConnection::cut(Error error) {
  if (phase_ == Phase::gone) return;
  if (!error_) error_ = error;
  const bool unframed = exchange_ && exchange_->framing == BodyFraming::until_close;
  if (unframed && exchange_->answer == Answer::begun) {
    give_up(std::move(error));
  } else {
    close();
  }
  schedule();
}

void ServerConnection::send(Buffer data) {
  if (phase_ != Phase::open) return;
  written_ += data.size();
  if (!processing_) {
    flush();
    stream_->write(std::move(data));
    return;
  }
  if (data.size() > kCopyAtMost || out_.size() + data.size() > kGatherAtMost) flush();
  if (data.size() > kCopyAtMost + 1024) {
    stream_->write(std::move(data));
  } else if (out_.empty()) {
    out_ = std::move(data);
  } else {
    out_.append(data);
  }
}

bool ServerConnection::flush() {
  if (out_.empty() || phase_ == Phase::gone) return false;
  stream_->write(std::exchange(out_, Buffer{}));
  return true;
}

}  // namespace axl::http
