#include "topic.hpp"

#include <utility>

#include "node.hpp"
#include "patterns.hpp"
#include "status.hpp"

namespace axl::c {

Result<void> Topic::join(PubSub& pubsub, const std::string& name) {
  const auto weak = weak_from_this();
  PubSub::Judge judge;
  if (options_.judge) {
    judge = [weak](const PubSubMessage& message, const PubSub::Decide& decide) {
      const auto self = weak.lock();
      return self ? self->asked(message, decide) : decide(PubSubVerdict::ignore);
    };
  }
  const auto joined = pubsub.subscribe_judged(
      name,
      [weak](const PubSubMessage& message) {
        if (const auto self = weak.lock()) self->arrived(message);
      },
      std::move(judge));
  if (!joined) return joined.error();
  joined_ = *joined;
  return {};
}

Item Topic::event(axl_event_kind kind) {
  return {.kind = kind, .user = options_.user, .source = shared_from_this(), .topic = handle_};
}

void Topic::arrived(const PubSubMessage& message) {
  const std::lock_guard lock{mutex_};
  if (ended_ || !waiting_.add(message, message.body.size())) return;
  queue_->push(event(AXL_EVENT_TOPIC_MESSAGE));  // under the lock: end() finds it there
}

void Topic::asked(const PubSubMessage& message, const PubSub::Decide& decide) {
  if (!add_undecided(message, decide)) decide(PubSubVerdict::ignore);  // which may call arrived()
}

bool Topic::add_undecided(const PubSubMessage& message, const PubSub::Decide& decide) {
  const std::lock_guard lock{mutex_};
  const auto size = message.body.size();
  if (ended_ || verdicts_ >= kMaxVerdicts || (verdicts_ > 0 && verdict_bytes_ + size > kMaxVerdictBytes)) return false;
  ++verdicts_;
  verdict_bytes_ += size;
  auto item = event(AXL_EVENT_VERDICT_WANTED);
  item.message = std::make_unique<axl_message>(message);
  item.message->decide = decide;
  queue_->push(std::move(item));
  return true;
}

bool Topic::take(Item& item) {
  const std::lock_guard lock{mutex_};
  if (item.kind == AXL_EVENT_VERDICT_WANTED) {
    --verdicts_;
    verdict_bytes_ -= item.message->body.size();
    return !ended_;
  }
  auto taken = waiting_.take();
  if (ended_ || !taken) return false;
  item.message = std::make_unique<axl_message>(taken->value);
  item.missed = taken->missed;
  return true;
}

void Topic::end() {
  {
    const std::lock_guard lock{mutex_};
    ended_ = true;
    waiting_.clear();
  }
  static_cast<void>(queue_->withdraw(*this));  // what waits for a verdict is ignored
}

}  // namespace axl::c

using namespace axl::c;

extern "C" {

axl_status axl_topic_join(axl_node* node, const char* topic, const axl_topic_options* options, axl_topic** joined) {
  if (node == nullptr || topic == nullptr || joined == nullptr) return missing("no node, topic or place for it");
  *joined = nullptr;
  return guarded([&] {
    const auto read = read_options(options, AXL_SIZE_UP_TO(axl_topic_options, max_waiting));
    if (!read) return fail(read.error());
    Topic::Options wanted{.user = read->user, .judge = read->judge != 0};
    if (read->max_waiting > 0) wanted.max_waiting = read->max_waiting;
    auto handle = std::make_unique<axl_topic>();
    handle->state = std::make_shared<Topic>(node->queue(), wanted);
    handle->node = node->shared_node();
    handle->patterns = node->patterns();
    handle->state->set_handle(handle.get());
    const auto status = node->on_loop([&](axl::Node& on) {
      const auto pubsub = node->patterns()->pubsub(on);
      return pubsub ? done(handle->state->join(**pubsub, topic)) : fail(pubsub.error());
    });
    if (status == AXL_OK) *joined = handle.release();
    return status;
  });
}

void axl_topic_free(axl_topic* topic) {
  if (topic == nullptr) return;
  topic->state->end();
  if (const auto node = topic->node.lock()) {
    node->post([state = topic->state, patterns = topic->patterns] {
      if (auto* pubsub = patterns->running_pubsub()) state->leave(*pubsub);
    });
  }
  delete topic;
}

axl_status axl_message_judge(axl_message* message, axl_verdict verdict) {
  if (message == nullptr) return missing("no message");
  const auto number = number_of(verdict);
  if (number < AXL_ACCEPT || number > AXL_IGNORE) return fail(AXL_E_INVALID_ARGUMENT, "this is no verdict");
  return guarded([&] {
    const auto decide = std::exchange(message->decide, nullptr);
    if (!decide) return fail(AXL_E_NOT_FOUND, "the message waits for no verdict");
    decide(static_cast<axl::PubSubVerdict>(number));
    return AXL_OK;
  });
}

int axl_message_proved(const axl_message* message) {
  if (message == nullptr || message->id.empty()) return 0;
  return !message->published || message->published->signer == message->sender ? 1 : 0;
}

void axl_message_signer(const axl_message* message, axl_key* signer) {
  give_key(message != nullptr && message->published ? message->published->signer : axl::PublicKey{}, signer);
}

void axl_message_relay(const axl_message* message, axl_key* relay) {
  give_key(message != nullptr && message->published ? message->published->relay : axl::PublicKey{}, relay);
}

unsigned axl_message_hops(const axl_message* message) {
  return message != nullptr && message->published ? message->published->hops : 0;
}

}  // extern "C"
