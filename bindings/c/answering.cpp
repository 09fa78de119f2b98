#include "answering.hpp"

#include <utility>

namespace axl::c {

namespace {

// About what an outcome takes.
std::size_t size_of(const Outcome& outcome) {
  std::size_t size = 512 + outcome.missing_keys.size() * sizeof(PublicKey);
  for (const auto& group : outcome.groups) {
    size += sizeof group + group.group.size() + group.bytes.size();
    size += group.top.size() * (sizeof(Aggregate::Ranked) + sizeof(axl_ranked));
  }
  return size;
}

}  // namespace

void Answering::set(const Options& options) {
  const std::lock_guard lock{mutex_};
  options_ = options;
}

Result<void> Answering::leave(const std::string& name, std::vector<Contribution> values) {
  if (name.empty() || name.size() > kMaxAggregationName) {
    return Error{Errc::invalid_argument, "a question's name is 1 to 64 bytes of text that may be shown"};
  }
  const std::lock_guard lock{mutex_};
  if (values.empty()) {
    values_.erase(name);
  } else if (values_.size() >= kMaxNames && !values_.contains(name)) {
    return Error{Errc::limit_reached, "there are values for 256 names"};
  } else {
    values_.insert_or_assign(name, std::move(values));
  }
  return {};
}

Item Answering::event(axl_event_kind kind) {
  return {.kind = kind, .user = options_.user, .source = shared_from_this()};
}

void Answering::asked(const Question& question, Convergecast::Answer answer) {
  std::vector<Contribution> values;
  {
    const std::lock_guard lock{mutex_};
    const auto found = values_.find(question.name);
    if (found == values_.end() && options_.questions) {
      if (++*unanswered_ > kMaxQuestions) {
        --*unanswered_;
        return;
      }
      auto item = event(AXL_EVENT_QUESTION);
      item.question = std::make_unique<axl_question>(question, std::move(answer), unanswered_);
      queue_->push(std::move(item));
      return;
    }
    if (found != values_.end()) values = found->second;
  }
  answer(std::move(values));
}

void Answering::told(const Question& question, const Outcome& outcome) {
  const std::lock_guard lock{mutex_};
  if (!options_.told || !told_.add(std::make_unique<axl_outcome>(question, outcome), size_of(outcome))) return;
  queue_->push(event(AXL_EVENT_TOLD));
}

// As many wait as sessions collect, which the engine bounds.
void Answering::merge(const std::string& name, void* user, Bytes first, Bytes second, Convergecast::Merged answer) {
  Item item;
  item.kind = AXL_EVENT_MERGE_WANTED;
  item.user = user;
  item.merge = std::make_unique<axl_merge>(name, std::move(first), std::move(second), std::move(answer));
  queue_->push(std::move(item));
}

bool Answering::take(Item& item) {
  if (item.kind != AXL_EVENT_TOLD) return true;
  const std::lock_guard lock{mutex_};
  auto taken = told_.take();
  if (!taken) return false;
  item.outcome = std::move(taken->value);
  item.missed = taken->missed;
  return true;
}

}  // namespace axl::c
