#include "bridge/messenger.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "bridge/inbox.hpp"
#include "bridge/peer_channel.hpp"
#include "bridge/peer_id.hpp"

namespace axl::bridge {

namespace {
constexpr Duration kBusyTick{std::chrono::milliseconds{250}};
constexpr Duration kIdleTick{std::chrono::seconds{5}};
constexpr Duration kLongestRetry{std::chrono::hours{24}};
constexpr unsigned kTopicLanes = 3;
}  // namespace

Messenger::Messenger(const NodeConfig& config, const Limits& limits, Host& host, Inbox& inbox, Logger logger)
    : config_{config},
      limits_{limits},
      host_{host},
      inbox_{inbox},
      logger_{std::move(logger)},
      outbox_{{.messages = config.outbox_messages, .bytes = config.outbox_bytes},
              host,
              [this](const PublicKey& peer, MessageBody body, SendOptions options, bool again, SendHandler done) {
                send(peer, std::move(body), std::move(options), std::move(done), again);
              },
              [this](const PublicKey& peer) { return old_peers_->contains(resolve(peer, host_), host_.now()); }},
      timer_{host.make_timer([this] { on_tick(); })} {}

Messenger::~Messenger() = default;

void Messenger::later(std::function<void()> task) {
  host_.executor().post([task = std::move(task), alive = std::weak_ptr<bool>{alive_}] {
    if (alive.lock()) task();
  });
}

void Messenger::send(const PublicKey& destination, MessageBody body, SendOptions options, SendHandler handler,
                     bool may_have_arrived) {
  const auto fail = [&](Errc code, std::string text) {
    later([handler = std::move(handler), error = Error{code, std::move(text)}] { handler(error); });
  };
  if (body.size() > config_.max_message_size) {
    fail(Errc::too_large, fmt::format("message size {} exceeds maximum {}", body.size(), config_.max_message_size));
    return;
  }
  if (options.id.empty()) options.id = make_message_id(host_.rng());
  if (!is_name(options.id, kMaxMessageIdSize)) return fail(Errc::invalid_argument, "invalid message id");
  if (!options.topic.empty() && !is_name(options.topic, kMaxTopicSize)) {
    return fail(Errc::invalid_argument, "invalid topic");
  }
  if (options.retry_for > Duration{}) {
    if (options.retry_for > kLongestRetry) return fail(Errc::invalid_argument, "retry_for is longer than a day");
    const auto keep = options.retry_for;
    if (auto added = outbox_.add(destination, keep, std::move(body), std::move(options), handler); !added) {
      later([handler = std::move(handler), error = added.error()] { handler(error); });
    }
    return;
  }
  if (!has_room(body.size())) return fail(Errc::limit_reached, "too many messages are on their way");
  const auto peer = resolve(destination, host_);
  ++messages_;
  bytes_ += body.size();
  if (peer == host_.our_key()) {
    send_to_ourselves(std::move(body), std::move(options), std::move(handler));
    return;
  }
  auto message = make_message(std::move(body), std::move(options), std::move(handler));
  message->may_have_arrived = may_have_arrived;
  const ChannelId id{peer, lane_of(peer, message->options.topic)};
  auto& channel = channels_[id];
  if (!channel) channel = std::make_unique<PeerChannel>(*this, id);
  channel->add(std::move(message));
  arm();
}

bool Messenger::send_arriving(const PublicKey& destination, const MessageBody& body,
                              const std::shared_ptr<Arrival>& arrival, const SendOptions& options,
                              SendHandler handler) {
  const auto peer = resolve(destination, host_);
  const auto found = channels_.find({peer, lane_of(peer, options.topic)});
  if (found == channels_.end() || !found->second->free() || !has_room(body.size())) return false;
  auto message = make_message(body, options, std::move(handler));
  message->arrival = arrival;
  if (!found->second->begin(std::move(message))) return false;
  ++messages_;
  bytes_ += body.size();
  arm();
  return true;
}

std::unique_ptr<OutgoingMessage> Messenger::make_message(MessageBody body, SendOptions options, SendHandler handler) {
  auto message = std::make_unique<OutgoingMessage>();
  message->number = next_message_++;
  message->body = std::move(body);
  message->options = std::move(options);
  message->handler = std::move(handler);
  return message;
}

bool Messenger::has_room(std::size_t size) const noexcept {
  return messages_ < limits_.messages && size <= limits_.bytes - std::min(bytes_, limits_.bytes);
}

// FNV-1a: the same topic always gets the same lane.
unsigned Messenger::lane_of(const PublicKey& peer, std::string_view topic) const {
  if (topic.empty() || old_peers_->contains(peer, host_.now())) return 0;
  std::uint32_t hash = 2'166'136'261U;
  for (const auto letter : topic) hash = (hash ^ static_cast<unsigned char>(letter)) * 16'777'619U;
  return 1 + hash % kTopicLanes;
}

void Messenger::send_to_ourselves(MessageBody body, SendOptions options, SendHandler handler) {
  later([this, body = std::move(body), options = std::move(options), handler = std::move(handler)] {
    Message message;
    message.sender = host_.our_key();
    message.address = Address::of(message.sender);
    message.id = options.id;
    message.topic = options.topic;
    message.body = body;
    message.received = host_.now();
    finished(body.size());
    switch (inbox_.dispatcher().offer(message, host_.now())) {
      case router::Verdict::accepted:
      case router::Verdict::duplicate: return handler(SendReport{Delivery::queued, options.id});
      case router::Verdict::conflict:
        return handler(Error{Errc::already_exists, "the message id was used for another body"});
      case router::Verdict::full:
      case router::Verdict::peer_share: return handler(Error{Errc::busy, "the receive queue is full"});
    }
  });
}

void Messenger::finished(std::size_t body_size) noexcept {
  --messages_;
  bytes_ -= body_size;
}

void Messenger::wake(const ChannelId& channel) {
  woken_.push_back(channel);
  if (woken_.size() == 1) later([this] { run_woken(); });
}

void Messenger::run_woken() {
  auto woken = std::exchange(woken_, {});
  std::ranges::sort(woken);
  woken.erase(std::unique(woken.begin(), woken.end()), woken.end());
  for (const auto& id : woken) {
    if (const auto found = channels_.find(id); found != channels_.end()) found->second->run();
  }
  arm();
}

void Messenger::on_tick() {
  armed_ = false;
  // Handlers may send, and so add channels, but nothing else removes them.
  for (auto& [id, channel] : channels_) {
    channel->on_tick();
    if (channel->idle() && channel->idle_since() + limits_.idle_timeout <= host_.now()) channel->close_idle();
  }
  std::erase_if(channels_, [](const auto& entry) { return entry.second->idle() && !entry.second->connected(); });
  trim();
  arm();
}

void Messenger::trim() {
  std::vector<PeerChannel*> idle;
  for (auto& [id, channel] : channels_) {
    if (channel->idle() && channel->connected()) idle.push_back(channel.get());
  }
  if (idle.size() <= limits_.idle_channels) return;
  std::ranges::sort(idle, {}, &PeerChannel::idle_since);
  for (std::size_t i = 0; i < idle.size() - limits_.idle_channels; ++i) idle[i]->close_idle();
}

void Messenger::close_idle() {
  for (auto& [id, channel] : channels_) {
    if (channel->idle()) channel->close_idle();
  }
}

// A tick is due soon while anything can time out, rarely while connections are only kept open, never otherwise.
void Messenger::arm() {
  if (channels_.empty()) return;
  const bool busy = messages_ > 0;
  if (armed_ && (busy_tick_ || !busy)) return;
  armed_ = true;
  busy_tick_ = busy;
  timer_->arm(host_.now() + (busy ? kBusyTick : kIdleTick));
}

}  // namespace axl::bridge
