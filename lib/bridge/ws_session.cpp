#include "bridge/ws_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "bridge/messenger.hpp"
#include "bridge/ws_message.hpp"
#include "mcp/json.hpp"

namespace axl::bridge {

namespace {

namespace json = mcp::json;
using Confirmed = router::ReceiveQueue::Confirmed;

constexpr std::size_t kMaxCommand = 4'096;
constexpr std::size_t kMaxAnswers = 1'024;  // that the client has not taken
constexpr Duration kFinishWithin{std::chrono::seconds{3}};

http::WebSocket::Limits limits(std::size_t max_message_size) {
  return {.messages = {.text = kMaxCommand, .binary = kMaxWsHead + max_message_size}};
}

std::string refusal(std::string_view why) {
  return fmt::format("{{\"status\":400,\"error\":{}}}", json::quote(why));
}

}  // namespace

WsSession::WsSession(http::Exchange exchange, std::optional<RecvRequest> wanted, const Parts& parts,
                     std::function<void()> ended)
    : host_{parts.host},
      ended_{std::move(ended)},
      socket_{std::move(exchange), limits(parts.messenger.config().max_message_size), parts.host, *this},
      inbox_{parts.inbox},
      sends_{parts.messenger, parts.host, parts.gate, [this](std::string_view text) { answer(text); },
             [this] { update(); }} {
  if (wanted) {
    feed_.emplace(socket_, *std::move(wanted), parts.inbox, parts.host, parts.legacy_peer_id, [this] { update(); });
  }
}

void WsSession::start() {
  socket_.open();
  if (feed_) feed_->go_on();
  update();
}

void WsSession::finish() {
  if (std::exchange(finishing_, true)) return;
  if (feed_) feed_->stop();
  timer_ = host_.make_timer([this] { close(); });
  timer_->arm(host_.now() + kFinishWithin);
  update();
}

void WsSession::close() { socket_.close(http::WebSocketCode::going_away, "the node is shutting down"); }

// To be called when anything has changed: what to listen for, whether to read on, whether all is done.
void WsSession::update() {
  if (!socket_.open_for_messages()) return;
  auto next = feed_ ? feed_->first_end() : std::nullopt;
  if (!answers_.empty()) next = std::min(next.value_or(answers_.front()), answers_.front());
  if (next) socket_.watch_sent(*next);
  socket_.hold(finishing_ || sends_.full() || answers_.size() >= kMaxAnswers);
  if (finishing_ && sends_.idle() && !(feed_ && feed_->busy())) close();
}

void WsSession::answer(std::string_view text) {
  socket_.send_text(text);
  answers_.push_back(socket_.written());
}

void WsSession::on_binary(ByteSpan piece, bool end) {
  sends_.on_binary(piece, end);
  update();
}

void WsSession::on_text(std::string_view text) {
  command(text);
  if (feed_) feed_->go_on();  // there may be room for another message
  update();
}

void WsSession::command(std::string_view text) {
  if (!json::is_valid(text) || json::type_of(json::trim(text)) != json::Type::object) {
    answer(refusal("a command is a JSON object"));
    return;
  }
  const auto ack = json::find(text, "ack");
  if (!ack) {
    answer(refusal("unknown command"));
    return;
  }
  const auto id = json::text_of(*ack);
  if (!id) {
    answer(refusal("ack must be a message id"));
    return;
  }
  std::optional<PublicKey> sender;
  if (const auto from = json::find(text, "from")) {
    const auto key = PublicKey::from_hex(json::text_of(*from).value_or(std::string{}));
    if (!key) {
      answer(refusal("from must be a peer id of 64 hexadecimal digits"));
      return;
    }
    sender = *key;
  }
  acknowledge(*id, sender);
}

void WsSession::acknowledge(std::string_view id, const std::optional<PublicKey>& sender) {
  const auto confirmed = feed_ ? feed_->confirm(id, sender) : inbox_.confirm(id, sender);
  const auto head = fmt::format("{{\"acked\":{}", json::quote(id));
  switch (confirmed) {
    case Confirmed::yes: answer(head + ",\"status\":204}"); break;
    case Confirmed::unknown: answer(head + ",\"status\":404,\"error\":\"No leased message has this id\"}"); break;
    case Confirmed::ambiguous:
      answer(head + ",\"status\":409,\"error\":\"Messages of several senders have this id: add from\"}");
      break;
  }
}

void WsSession::on_writable() {
  if (feed_) feed_->go_on();
  update();
}

void WsSession::on_part_sent() {
  const auto sent = socket_.sent();
  while (!answers_.empty() && answers_.front() <= sent) answers_.pop_front();
  if (feed_) {
    feed_->settle(sent);
    feed_->go_on();
  }
  update();
}

// What was written before a Close that the client has answered has been read by it, whatever the stream knows yet.
void WsSession::on_closed(bool answered) {
  if (feed_) {
    feed_->stop();
    feed_->settle(answered ? socket_.written() : socket_.sent());
  }
  const auto ended = std::exchange(ended_, nullptr);
  ended();
}

}  // namespace axl::bridge
