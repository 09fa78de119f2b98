#include "router/dispatcher.hpp"

#include <array>
#include <axl/bytes.hpp>
#include <utility>

namespace axl::router {

Dispatcher::Dispatcher(const Config& config, Rng& rng) : rng_{rng}, queue_{config.queue}, seen_{rng} {}

void Dispatcher::favour(const PublicKey& peer) {
  queue_.favour(peer);
  seen_.favour(peer);
  check_events();
}

Verdict Dispatcher::offer(Message& message, Time now, const BodyDigest::Digest* digest) {
  if (!message.id.empty()) {
    const auto seen = seen_.look_up(message.sender, message.id, message.body, now, digest);
    if (seen == SeenIds::Seen::other_body) return Verdict::conflict;
    if (seen == SeenIds::Seen::same_body) {
      ++counters_.duplicates;
      return Verdict::duplicate;
    }
  }
  const auto handler = handler_for(message);
  // What must be remembered outlives the move.
  const auto sender = message.sender;
  const auto body = message.body;
  const bool named = !message.id.empty();
  const auto name = named ? seen_.name_of(sender, message.id) : SeenIds::Name{};
  if (!named) message.id = make_id();
  if (!handler) {
    if (const auto refusal = queue_.offer(message)) {
      if (!named) message.id.clear();
      ++(*refusal == Refusal::full ? counters_.refused_full : counters_.refused_share);
      return *refusal == Refusal::full ? Verdict::full : Verdict::peer_share;
    }
  }
  ++counters_.accepted;
  if (named) seen_.remember(sender, name, body, now, digest);
  if (handler) {
    (*handler)(std::move(message));
  } else {
    check_events();
  }
  return Verdict::accepted;
}

std::optional<Refusal> Dispatcher::would_refuse(const PublicKey& sender, std::string_view id, std::size_t body_size,
                                                Time now) {
  if (!handlers_.empty()) return {};  // it may be a handler's, which has no bounds of ours
  if (!id.empty() && seen_.knows(sender, id, now)) return {};
  return queue_.would_refuse(sender, body_size);
}

std::string Dispatcher::make_id() {
  std::array<std::byte, 16> bytes{};
  rng_.fill(bytes);
  return to_hex(bytes);
}

std::shared_ptr<const Router::Handler> Dispatcher::handler_for(const Message& message) const {
  for (const auto& [id, handler] : handlers_) {
    if (!handler.filter || handler.filter(message)) return handler.call;
  }
  return nullptr;
}

Router::QueueStats Dispatcher::stats() const {
  auto stats = counters_;
  stats.messages = queue_.messages();
  stats.bytes = queue_.bytes();
  stats.leased = queue_.leased();
  return stats;
}

std::optional<Dispatcher::Event> Dispatcher::poll_event() {
  auto event = queue_.poll_event();
  if (!event) woken_ = false;
  return event;
}

void Dispatcher::check_events() {
  if (woken_ || !wake_ || !queue_.has_event()) return;
  woken_ = true;
  wake_();
}

Router::HandlerId Dispatcher::add_handler(Router::Filter filter, Router::Handler handler) {
  const Router::HandlerId id{next_handler_++};
  handlers_.emplace_hint(handlers_.end(), id,
                         Handler{std::move(filter), std::make_shared<const Router::Handler>(std::move(handler))});
  return id;
}

void Dispatcher::remove_handler(Router::HandlerId id) { handlers_.erase(id); }

std::optional<Message> Dispatcher::receive(const Selection& wanted) {
  const auto taken = queue_.take(wanted);
  if (!taken) return {};
  auto message = queue_.commit(taken->id);
  check_events();
  return message;
}

}  // namespace axl::router
