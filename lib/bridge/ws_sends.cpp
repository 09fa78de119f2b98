#include "bridge/ws_sends.hpp"

#include <fmt/format.h>

#include <utility>

#include "bridge/messenger.hpp"
#include "bridge/peer_id.hpp"
#include "bridge/send_failure.hpp"
#include "bridge/ws_message.hpp"
#include "mcp/json.hpp"

namespace axl::bridge {

namespace {

std::string head_of(std::uint64_t number, int status, std::string_view id) {
  auto out = fmt::format("{{\"sent\":{},\"status\":{}", number, status);
  if (!id.empty()) out += fmt::format(",\"id\":{}", mcp::json::quote(id));
  return out;
}

std::string failed(std::uint64_t number, std::string_view id, const SendFailure& failure) {
  return fmt::format("{},\"error\":{}{}}}", head_of(number, failure.status, id), mcp::json::quote(failure.text),
                     failure.later ? ",\"retry_after\":1" : "");
}

}  // namespace

WsSends::WsSends(Messenger& messenger, Host& host, BodyGate& gate, std::function<void(std::string_view)> answer,
                 std::function<void()> changed)
    : messenger_{messenger}, host_{host}, gate_{gate}, answer_{std::move(answer)}, changed_{std::move(changed)} {}

void WsSends::on_binary(ByteSpan piece, bool end) {
  if (!ticket_.valid()) {
    ticket_ = gate_.begin(host_.our_key(), [this] { on_room(); });
    body_.begin_unknown(messenger_.config().max_message_size + kMaxWsHead);
  }
  if (!waiting_.empty() || (!piece.empty() && !ticket_.grow(piece.size()))) {
    waiting_.insert(waiting_.end(), piece.begin(), piece.end());
    waiting_ends_ = end;
    return;
  }
  body_.add(piece);
  if (end) finish();
}

void WsSends::on_room() {
  if (waiting_.empty() || !ticket_.grow(waiting_.size())) return;
  body_.add(waiting_);
  waiting_ = Bytes{};
  if (std::exchange(waiting_ends_, false)) finish();
  changed_();
}

void WsSends::finish() {
  const auto bytes = body_.finish();
  auto sent = std::make_shared<Sent>(Sent{.number = ++count_, .ticket = std::move(ticket_), .answer = {}});
  ticket_ = {};
  sent_.push_back(sent);
  auto message = parse_ws_message(bytes);
  if (!message) {
    answer(*sent, failed(sent->number, {}, {.status = 400, .text = message.error().text()}));
    return;
  }
  SendOptions options;
  options.id = message->id.empty() ? make_message_id(host_.rng()) : message->id;
  options.topic = message->topic;
  const auto id = options.id;
  const auto size = message->body.size();
  messenger_.send(message->peer, MessageBody{bytes.owner(), message->body}, std::move(options),
                  [this, sent, id, size, max_size = messenger_.config().max_message_size,
                   alive = std::weak_ptr<bool>{alive_}](const Result<SendReport>& result) {
                    sent->ticket.release();
                    if (!alive.lock()) return;
                    if (result) {
                      const auto* delivered = result->delivery == Delivery::queued ? "1" : "unknown";
                      answer(*sent, fmt::format("{},\"delivered\":\"{}\"}}", head_of(sent->number, 200, id), delivered));
                    } else {
                      answer(*sent, failed(sent->number, id, describe_failure(result.error(), size, max_size)));
                    }
                    changed_();
                  });
}

// Gives the answers that no earlier one holds up.
void WsSends::answer(Sent& sent, std::string text) {
  sent.answer = std::move(text);
  while (!sent_.empty() && !sent_.front()->answer.empty()) {
    answer_(sent_.front()->answer);
    sent_.pop_front();
  }
}

}  // namespace axl::bridge
