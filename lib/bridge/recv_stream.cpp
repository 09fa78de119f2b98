#include "bridge/recv_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "crypto/base64.hpp"
#include "mcp/json.hpp"

namespace axl::bridge {

namespace {

constexpr Duration kKeepAlive{std::chrono::seconds{15}};
constexpr std::size_t kPiece = 48UL * 1024;  // of a body; divides by three
constexpr std::size_t kMaxOnTheirWay = 256;

}  // namespace

RecvStream::RecvStream(http::Exchange exchange, RecvRequest request, Inbox& inbox, Scheduler& scheduler,
                       bool legacy_peer_id, std::function<void()> ended)
    : request_{std::move(request)},
      inbox_{inbox},
      scheduler_{scheduler},
      legacy_peer_id_{legacy_peer_id},
      ended_{std::move(ended)},
      timer_{scheduler.make_timer([this] { keep_alive(); })},
      exchange_{std::move(exchange)} {
  exchange_.set_events(this);
}

RecvStream::~RecvStream() {
  if (waiting_) inbox_.stop_waiting(*waiting_);
  if (taken_) inbox_.put_back(*taken_);
  for (const auto& item : on_its_way_) inbox_.put_back(item.entry);
}

void RecvStream::start() {
  exchange_.start(200, http::event_stream_headers());
  timer_->arm(scheduler_.now() + kKeepAlive);
  go_on();
}

void RecvStream::finish() {
  finishing_ = true;
  if (waiting_) inbox_.stop_waiting(*std::exchange(waiting_, std::nullopt));
  if (!taken_ && !exchange_.finished()) exchange_.finish();
}

void RecvStream::write(std::string_view text) { exchange_.write(Buffer::copy_of(as_bytes(text))); }

// Writes while the connection takes bytes and there are messages.
void RecvStream::go_on() {
  if (exchange_.finished()) return;
  while (true) {
    if (taken_ && !write_body()) break;
    if (finishing_) {
      exchange_.finish();
      return;
    }
    if (on_its_way_.size() >= kMaxOnTheirWay || !exchange_.writable() || !begin_next()) break;
  }
  if (!on_its_way_.empty()) exchange_.watch_sent(on_its_way_.front().end);
}

bool RecvStream::begin_next() {
  if (waiting_) return false;
  const auto taken = inbox_.queue().take(request_.wanted);
  if (!taken) {
    waiting_ = inbox_.wait_for_message(request_.wanted, [this] {
      waiting_.reset();
      go_on();
    });
    return false;
  }
  if (request_.ack) inbox_.queue().allow_confirm(taken->id);
  const auto& message = *taken->message;
  taken_ = taken->id;
  body_ = message.body;  // shared: it outlives the entry, should the client confirm it early
  written_ = 0;
  auto head = fmt::format("event: message\nid: {}\ndata: {{\"id\":{},\"from\":\"{}\",", message.id,
                          mcp::json::quote(message.id), shown_sender(message, legacy_peer_id_));
  if (!message.topic.empty()) head += fmt::format("\"topic\":{},", mcp::json::quote(message.topic));
  head += fmt::format("\"size\":{},\"data\":\"", body_.size());
  if (body_.size() <= kPiece) {  // most are small: one write
    head += crypto::to_base64(body_);
    written_ = body_.size();
  }
  write(head);
  return true;
}

// False while the connection takes no more of it.
bool RecvStream::write_body() {
  while (written_ < body_.size()) {
    if (!exchange_.writable()) return false;
    const auto piece = body_.span().subspan(written_, std::min(kPiece, body_.size() - written_));
    write(crypto::to_base64(piece));
    written_ += piece.size();
  }
  write("\"}\n\n");
  on_its_way_.push_back({.entry = *std::exchange(taken_, std::nullopt), .end = exchange_.written()});
  body_ = {};
  return true;
}

void RecvStream::settle(bool all) {
  const auto sent = exchange_.sent();
  while (!on_its_way_.empty() && (all || on_its_way_.front().end <= sent)) {
    const auto entry = on_its_way_.front().entry;
    on_its_way_.pop_front();
    if (request_.ack) {
      inbox_.lease(entry, request_.lease);
    } else {
      inbox_.commit(entry);
    }
  }
}

void RecvStream::on_part_sent() {
  settle(false);
  go_on();
}

void RecvStream::on_sent() {
  settle(true);
  const auto ended = std::exchange(ended_, nullptr);
  ended();
}

void RecvStream::on_aborted(const Error&) {
  const auto ended = std::exchange(ended_, nullptr);
  ended();
}

void RecvStream::keep_alive() {
  if (exchange_.finished()) return;
  if (!taken_) write(":\n\n");
  timer_->arm(scheduler_.now() + kKeepAlive);
}

}  // namespace axl::bridge
