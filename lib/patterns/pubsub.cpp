#include <axl/pubsub.hpp>
#include <utility>

#include "node/node_state.hpp"
#include "patterns/pubsub_state.hpp"
#include "pubsub/message.hpp"

namespace axl {

Result<std::unique_ptr<PubSub>> PubSub::create(Node& node, PubSubOptions options) {
  std::uint64_t user = 0;
  auto state = patterns::PubSubState::of(node.state(), options, user);
  if (!state) return state.error();
  return std::make_unique<PubSub>(*std::move(state), user);
}

PubSub::PubSub(std::shared_ptr<patterns::PubSubState> state, std::uint64_t user) noexcept
    : state_{std::move(state)}, user_{user} {}

PubSub::~PubSub() {
  if (state_->closed()) return;
  state_->node().on_loop_and_wait([this] { state_->leave(user_); });
}

Result<PubSub::Subscription> PubSub::subscribe(const std::string& topic, Handler handler, Validator validator) {
  if (!validator) return subscribe_judged(topic, std::move(handler), {});
  return subscribe_judged(topic, std::move(handler), [validator = std::move(validator)](const auto& message, const Decide& decide) {
    decide(validator(message));
  });
}

Result<PubSub::Subscription> PubSub::subscribe_judged(const std::string& topic, Handler handler, Judge judge) {
  if (!handler) return Error{Errc::invalid_argument, "a subscription needs a handler"};
  Result<Subscription> result = Error{Errc::closed, "the node has been stopped"};
  if (state_->closed()) return result;
  state_->node().on_loop_and_wait(
      [&] { result = state_->subscribe(user_, topic, std::move(handler), std::move(judge)); });
  return result;
}

void PubSub::unsubscribe(Subscription subscription) {
  if (state_->closed()) return;
  state_->node().on_loop_and_wait([&] { state_->unsubscribe(subscription); });
}

Result<void> PubSub::publish(const std::string& topic, MessageBody body, PublishHandler handler) {
  if (!pubsub::is_topic(topic)) return Error{Errc::invalid_argument, "a topic is 1 to 128 printable ASCII characters"};
  if (body.size() > state_->max_body()) {
    return Error{Errc::too_large, "a published message is at most " + std::to_string(state_->max_body()) + " bytes"};
  }
  if (state_->closed()) return Error{Errc::closed, "the node has been stopped"};
  const auto size = body.size();
  if (!state_->reserve(size)) return Error{Errc::would_block, "too much waits to be published"};
  state_->node().executor().post([state = state_, user = user_, topic, size, body = std::move(body),
                                  handler = std::move(handler)] {
    state->unreserve(size);
    state->publish(user, topic, body, handler);
  });
  return {};
}

std::vector<PubSub::TopicView> PubSub::topics() const {
  std::vector<TopicView> out;
  if (state_->closed()) return out;
  state_->node().on_loop_and_wait([&] {
    for (auto& topic : state_->engine().topics()) out.push_back({std::move(topic.name), std::move(topic.mesh), topic.takers});
  });
  return out;
}

std::vector<PublicKey> PubSub::peers() const {
  std::vector<PublicKey> out;
  if (state_->closed()) return out;
  state_->node().on_loop_and_wait([&] {
    for (const auto& peer : state_->engine().peers()) out.push_back(peer.key);
  });
  return out;
}

PubSub::Statistics PubSub::statistics() const {
  Statistics out;
  if (state_->closed()) return out;
  state_->node().on_loop_and_wait([&] {
    const auto& counters = state_->engine().counters();
    const auto sizes = state_->engine().sizes();
    out = {sizes.peers,         counters.published, counters.delivered, counters.copies, counters.duplicates,
           counters.refused,    counters.sent,      sizes.cached,       sizes.cached_bytes};
  });
  return out;
}

}  // namespace axl
