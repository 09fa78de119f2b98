#include "patterns.hpp"

#include <utility>

namespace axl::c {

namespace {

Error closed() { return {Errc::closed, "the node has been stopped"}; }

}  // namespace

bool Patterns::has_pubsub() const {
  const std::lock_guard lock{mutex_};
  return pubsub_ != nullptr;
}

bool Patterns::takes_part() const {
  const std::lock_guard lock{mutex_};
  return convergecast_ != nullptr;
}

Result<void> Patterns::publish(const std::string& topic, MessageBody body, PubSub::PublishHandler handler) {
  const std::lock_guard lock{mutex_};
  if (!pubsub_) return closed();
  return pubsub_->publish(topic, std::move(body), std::move(handler));
}

void Patterns::ask(Question question, Convergecast::OutcomeHandler handler) {
  const std::lock_guard lock{mutex_};
  if (convergecast_) convergecast_->ask(std::move(question), std::move(handler));
}

Result<PubSub*> Patterns::pubsub(Node& node) {
  if (auto* running = running_pubsub()) return running;
  if (auto opened = open_pubsub(node, {}); !opened) return opened.error();
  return running_pubsub();
}

// A second one joins the first, if it wants the same.
Result<void> Patterns::open_pubsub(Node& node, const PubSubOptions& options) {
  auto made = PubSub::create(node, options);
  if (!made) return made.error();
  const std::lock_guard lock{mutex_};
  if (closed_) return closed();
  if (!pubsub_) pubsub_ = *std::move(made);
  return {};
}

PubSub* Patterns::running_pubsub() const {
  const std::lock_guard lock{mutex_};
  return pubsub_.get();
}

Result<Convergecast*> Patterns::take_part(Node& node, Convergecast::Options options) {
  {
    const std::lock_guard lock{mutex_};
    if (convergecast_) return convergecast_.get();
  }
  auto made = Convergecast::attach(node, options);
  if (!made) return made.error();
  (*made)->on_question_slowly([answering = answering_](const Question& question, Convergecast::Answer answer) {
    answering->asked(question, std::move(answer));
  });
  (*made)->on_told([answering = answering_](const Question& question, const Outcome& outcome) {
    answering->told(question, outcome);
  });
  const std::lock_guard lock{mutex_};
  if (closed_) return closed();
  convergecast_ = *std::move(made);
  return convergecast_.get();
}

// They go without the lock: their ends turn the loop.
void Patterns::close() {
  std::unique_ptr<PubSub> pubsub;
  std::unique_ptr<Convergecast> convergecast;
  const std::lock_guard lock{mutex_};
  closed_ = true;
  pubsub.swap(pubsub_);
  convergecast.swap(convergecast_);
}

}  // namespace axl::c
