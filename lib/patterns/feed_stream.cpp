#include "patterns/feed_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "crypto/base64.hpp"
#include "mcp/json.hpp"

namespace axl::patterns {

namespace {

constexpr Duration kKeepAlive{std::chrono::seconds{15}};
constexpr std::size_t kPiece = 48UL * 1024;  // of a body; divides by three

std::string event_head(const PubSubMessage& message) {
  const auto signer = message.signer == PublicKey{} ? std::string{"null"} : mcp::json::quote(message.signer.to_hex());
  return fmt::format(
      "event: message\nid: {0}\ndata: {{\"id\":\"{0}\",\"topic\":{1},\"origin\":\"{2}\",\"signer\":{3},\"proved\":{4},"
      "\"from\":\"{5}\",\"hops\":{6},\"size\":{7},\"data\":\"",
      message.id, mcp::json::quote(message.topic), message.origin.to_hex(), signer, message.proved(),
      message.from.to_hex(), message.hops, message.body.size());
}

}  // namespace

FeedStream::FeedStream(http::Exchange exchange, const Feed& feed, std::uint64_t next, Scheduler& scheduler,
                       std::function<void()> ended)
    : feed_{feed},
      next_{next},
      scheduler_{scheduler},
      ended_{std::move(ended)},
      timer_{scheduler.make_timer([this] { keep_alive(); })},
      exchange_{std::move(exchange)} {
  exchange_.set_events(this);
}

void FeedStream::start(bool forgotten) {
  exchange_.start(200, http::event_stream_headers());
  timer_->arm(scheduler_.now() + kKeepAlive);
  if (forgotten) write("event: dropped\ndata: {\"count\":null}\n\n");
  go_on();
}

void FeedStream::finish() {
  finishing_ = true;
  if (!writing_ && !exchange_.finished()) exchange_.finish();
}

void FeedStream::write(std::string_view text) { exchange_.write(Buffer::copy_of(as_bytes(text))); }

void FeedStream::go_on() {
  if (exchange_.finished()) return;
  while (true) {
    if (writing_ && !write_body()) return;
    if (finishing_) return exchange_.finish();
    if (next_ == feed_.end() || !exchange_.writable()) return;
    begin_next();
  }
}

void FeedStream::begin_next() {
  if (next_ < feed_.begin()) {
    write(fmt::format("event: dropped\ndata: {{\"count\":{}}}\n\n", feed_.begin() - next_));
    next_ = feed_.begin();
    if (next_ == feed_.end()) return;
  }
  const auto& message = feed_.at(next_++);
  body_ = message.body;  // shared: the feed may drop it meanwhile
  written_ = 0;
  writing_ = true;
  auto head = event_head(message);
  if (body_.size() <= kPiece) {  // most are small: one write
    head += crypto::to_base64(body_);
    written_ = body_.size();
  }
  write(head);
}

// False while the connection takes no more of it.
bool FeedStream::write_body() {
  while (written_ < body_.size()) {
    if (!exchange_.writable()) return false;
    const auto piece = body_.span().subspan(written_, std::min(kPiece, body_.size() - written_));
    write(crypto::to_base64(piece));
    written_ += piece.size();
  }
  write("\"}\n\n");
  writing_ = false;
  body_ = {};
  return true;
}

void FeedStream::keep_alive() {
  if (exchange_.finished()) return;
  if (!writing_ && exchange_.writable()) write(":\n\n");
  timer_->arm(scheduler_.now() + kKeepAlive);
}

void FeedStream::end() {
  const auto ended = std::exchange(ended_, nullptr);
  if (ended) ended();
}

}  // namespace axl::patterns
