#include "bridge/peer_channel.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "bridge/dial_error.hpp"
#include "bridge/frame_link.hpp"
#include "bridge/http_link.hpp"

namespace axl::bridge {

namespace {
constexpr Duration kFallback{std::chrono::seconds{3}};
constexpr Duration kLeastDial{std::chrono::seconds{1}};
constexpr Duration kFirstRetry{std::chrono::milliseconds{50}};
constexpr Duration kLinger{std::chrono::seconds{30}};
constexpr Duration kLastRetry{std::chrono::seconds{2}};

Error unknown_delivery(Errc code, std::string_view why) {
  return Error{code, fmt::format("delivery unknown: {}", why)};
}

Error broken_off() { return Error{Errc::closed, "the message's sender went before it had sent everything"}; }
}  // namespace

PeerChannel::PeerChannel(Messenger& messenger, const Messenger::ChannelId& id)
    : messenger_{messenger}, id_{id}, address_{Address::of(peer_)}, idle_since_{messenger.host().now()} {}

PeerChannel::~PeerChannel() = default;

bool PeerChannel::idle() const {
  return waiting_.empty() && !http_pending_ && !frames_pending_ && (!link_ || link_->carried() == 0);
}

void PeerChannel::add(std::unique_ptr<OutgoingMessage> message) {
  const auto& config = messenger_.config();
  message->deadline = now() + config.send_timeout + (link_ ? Duration{} : config.dial_timeout);
  // Its turn already: no need to wait for another one of the loop.
  if (waiting_.empty() && message->options.receipt && may_give()) {
    message = link_->give(std::move(message));
    if (!message) return;
  }
  const auto number = message->number;
  waiting_.emplace(number, std::move(message));
  messenger_.wake(id_);
}

bool PeerChannel::free() const { return waiting_.empty() && may_give() && link_->carried() == 0; }

bool PeerChannel::begin(std::unique_ptr<OutgoingMessage> message) {
  message->deadline = now() + messenger_.config().send_timeout;
  return link_->give(std::move(message)) == nullptr;
}

bool PeerChannel::may_give() const {
  return link_ && link_port_ == Port::http && !link_rejected_ && link_->usable() && link_->has_room();
}

void PeerChannel::run() {
  if (std::exchange(arrivals_changed_, false)) look_at_arrivals();
  if (link_ && (link_rejected_ || !link_->usable()) && link_->carried() == 0) drop_link();
  if (!link_) {
    if (!waiting_.empty()) find_link();
    return;
  }
  while (!waiting_.empty() && link_ && !link_rejected_ && link_->usable() && link_->has_room()) {
    auto message = take_first_whole();
    if (!message) break;
    if (link_port_ == Port::frames && message->may_have_arrived) {
      finish(std::move(message), unknown_delivery(Errc::delivery_unknown, "the peer takes no receipts any more"));
      continue;
    }
    auto handler = message->options.receipt ? SendHandler{} : std::exchange(message->handler, {});
    const auto id = message->options.id;
    const auto size = message->body.size();
    if (auto back = link_->give(std::move(message))) {
      back->handler = std::move(handler);
      keep_waiting(std::move(back));
      break;
    }
    if (handler) {
      messenger_.finished(size);
      handler(SendReport{Delivery::handed_over, id});
    }
  }
}

void PeerChannel::on_tick() {
  if (fallback_at_ && *fallback_at_ <= now()) {
    fallback_at_.reset();
    // What may have arrived goes out with its id or not at all, so for that alone 7001 is waited for.
    const bool any = std::ranges::any_of(waiting_, [](const auto& item) { return !item.second->may_have_arrived; });
    if (any && http_pending_ && !frames_pending_ && !link_) connect(Port::frames);
  }
  if (link_) link_->on_tick(now());
  std::erase_if(closing_, [time = now()](const Closing& closing) { return closing.until <= time; });
  expire();
  run();
}

void PeerChannel::close_idle() {
  if (link_ && link_->carried() == 0) drop_link();
}

// --- Finding a connection --------------------------------------------------------------------------------------------

void PeerChannel::find_link() {
  if (http_pending_ || frames_pending_ || now() < retry_at_) return;
  dial_deadline_ = now() + messenger_.config().dial_timeout;
  if (messenger_.old_peers()->contains(peer_, now())) {
    connect(Port::frames);
  } else {
    fallback_at_ = now() + kFallback;
    connect(Port::http);
  }
}

void PeerChannel::connect(Port port) {
  const auto& config = messenger_.config();
  (port == Port::http ? http_pending_ : frames_pending_) = true;
  messenger_.host().connect(
      peer_, port == Port::http ? config.http_port : config.tcp_port, std::max(dial_deadline_ - now(), kLeastDial),
      [this, port, alive = std::weak_ptr<bool>{alive_}](Result<std::unique_ptr<tcpip::Connection>> connection) {
        if (alive.lock()) on_connected(port, std::move(connection));
      });
}

void PeerChannel::on_connected(Port port, Result<std::unique_ptr<tcpip::Connection>> connection) {
  (port == Port::http ? http_pending_ : frames_pending_) = false;
  if (port == Port::http) fallback_at_.reset();
  if (connection) {
    if (port == Port::http) {
      messenger_.old_peers()->forget(peer_);
    } else if (http_pending_) {
      messenger_.old_peers()->remember(peer_, OldPeers::kSilent, now());
    }
    take_link(port, std::move(connection).value());
    return;
  }
  const auto& error = connection.error();
  if (port == Port::http && error.is(Errc::refused)) {
    messenger_.old_peers()->remember(peer_, OldPeers::kRefused, now());
    if (!link_ && !frames_pending_) connect(Port::frames);
    return;
  }
  if (!link_ && !http_pending_ && !frames_pending_) fail_waiting(error);
}

void PeerChannel::take_link(Port port, std::unique_ptr<tcpip::Connection> connection) {
  if (link_) {
    if (link_->carried() > 0) return;  // the other port was faster; this one is tried first next time
    drop_link();
  }
  const auto time = now();
  idle_since_ = time;
  link_rejected_ = false;
  link_port_ = port;
  LinkOwner& owner = *this;
  if (port == Port::http) {
    link_ = std::make_unique<HttpLink>(std::move(connection), address_, messenger_.host().executor(), time, owner);
  } else {
    link_ = std::make_unique<FrameLink>(std::move(connection), owner);
  }
  for (auto& [number, message] : waiting_) {
    message->deadline = std::min(message->deadline, time + messenger_.config().send_timeout);
  }
  run();
}

void PeerChannel::drop_link() {
  link_->close();
  closing_.push_back({std::move(link_), now() + kLinger});
  link_rejected_ = false;
}

void PeerChannel::fail_waiting(const Error& error) {
  const auto reason = dial_error(error, address_, messenger_.config().tcp_port);
  auto failed = std::exchange(waiting_, {});
  for (auto& [number, message] : failed) {
    const bool unknown = message->may_have_arrived;
    finish(std::move(message), unknown ? unknown_delivery(Errc::delivery_unknown, reason.text()) : reason);
  }
}

// --- What becomes of messages ----------------------------------------------------------------------------------------

void PeerChannel::on_attempt(std::unique_ptr<OutgoingMessage> message, Attempt attempt) {
  switch (attempt.end) {
    case Attempt::End::delivered: {
      losses_in_row_ = 0;
      auto id = message->options.id;
      finish(std::move(message), SendReport{attempt.delivery, std::move(id)});
      break;
    }
    case Attempt::End::refused:
      losses_in_row_ = 0;
      finish(std::move(message), attempt.error);
      break;
    case Attempt::End::not_there:
      messenger_.old_peers()->remember(peer_, OldPeers::kRefused, now());
      link_rejected_ = true;
      keep_waiting(std::move(message));
      break;
    case Attempt::End::lost_maybe:
      if (link_port_ == Port::frames) {  // without receipts nothing makes a repetition safe
        const auto code = attempt.error.is(Errc::timed_out) ? Errc::timed_out : Errc::delivery_unknown;
        finish(std::move(message), unknown_delivery(code, attempt.error.text()));
        break;
      }
      message->may_have_arrived = true;
      [[fallthrough]];
    case Attempt::End::lost:
      if (message->arrival && message->arrival->broken()) {
        finish(std::move(message), broken_off());
        break;
      }
      if (message->losses++ > 0) losses_in_row_ = std::max(losses_in_row_, message->losses);
      if (losses_in_row_ > 0) {
        retry_at_ = now() + std::min(kLastRetry, kFirstRetry * (1 << std::min(losses_in_row_, 6)));
      }
      keep_waiting(std::move(message));
      break;
  }
  on_link_change();
}

void PeerChannel::on_link_change() {
  const bool nothing_to_do = waiting_.empty() && link_ && !link_rejected_ && link_->usable();
  if (!nothing_to_do) messenger_.wake(id_);
}

void PeerChannel::keep_waiting(std::unique_ptr<OutgoingMessage> message) {
  if (!message->whole()) message->arrival->watch(this);
  const auto number = message->number;
  waiting_.emplace(number, std::move(message));
}

// A message whose body is still coming has lost its connection: it goes when all of it is there.
void PeerChannel::on_more() {
  arrivals_changed_ = true;
  messenger_.wake(id_);
}

void PeerChannel::look_at_arrivals() {
  std::vector<std::unique_ptr<OutgoingMessage>> broken;
  for (auto next = waiting_.begin(); next != waiting_.end();) {
    const auto item = next++;
    auto& message = *item->second;
    if (!message.arrival) continue;
    if (message.arrival->broken()) {
      broken.push_back(std::move(waiting_.extract(item).mapped()));
    } else if (message.whole()) {
      message.deadline = now() + messenger_.config().send_timeout;
      std::exchange(message.arrival, nullptr)->watch(nullptr);
    }
  }
  for (auto& message : broken) finish(std::move(message), broken_off());
}

std::unique_ptr<OutgoingMessage> PeerChannel::take_first_whole() {
  const auto found = std::ranges::find_if(waiting_, [](const auto& item) { return item.second->whole(); });
  if (found == waiting_.end()) return nullptr;
  return std::move(waiting_.extract(found).mapped());
}

void PeerChannel::expire() {
  const auto time = now();
  std::vector<std::unique_ptr<OutgoingMessage>> late;
  for (auto next = waiting_.begin(); next != waiting_.end();) {
    const auto item = next++;
    if (item->second->whole() && item->second->deadline <= time)
      late.push_back(std::move(waiting_.extract(item).mapped()));
  }
  for (auto& message : late) {
    if (message->may_have_arrived) {
      finish(std::move(message), unknown_delivery(Errc::timed_out, "no receipt came in time"));
    } else {
      finish(std::move(message), Error{Errc::busy, "the peer did not take the message in time; it was not sent"});
    }
  }
}

void PeerChannel::finish(std::unique_ptr<OutgoingMessage> message, Result<SendReport> result) {
  idle_since_ = now();
  if (!message->handler) return;
  messenger_.finished(message->body.size());
  const auto handler = std::move(message->handler);
  message.reset();
  handler(std::move(result));
}

}  // namespace axl::bridge
