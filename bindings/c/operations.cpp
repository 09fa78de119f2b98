#include "operations.hpp"

#include <utility>

#include "message.hpp"
#include "session.hpp"

namespace axl::c {

namespace {

// A session that was to be opened counts what waits of it itself.
bool holds_slot_until_taken(const Operation& operation) noexcept { return !operation.session && !operation.quiet; }

}  // namespace

Result<std::shared_ptr<Operation>> Operations::begin(Operation operation) {
  auto begun = std::make_shared<Operation>(std::move(operation));
  const std::lock_guard lock{mutex_};
  if (closed_) return Error{Errc::closed, "the node has been stopped"};
  if (slots_ >= limit_) return Error{Errc::would_block, "too many operations are under way or wait to be polled"};
  under_way_.insert(begun);
  ++slots_;
  return begun;
}

bool Operations::end(const std::shared_ptr<Operation>& operation) {
  const std::lock_guard lock{mutex_};
  if (under_way_.erase(operation) == 0) return false;
  if (!holds_slot_until_taken(*operation)) --slots_;
  return true;
}

bool Operations::withdraw(const std::shared_ptr<Operation>& operation) {
  const std::lock_guard lock{mutex_};
  if (under_way_.erase(operation) == 0) return false;
  --slots_;
  return true;
}

Item Operations::event_of(const Operation& operation) {
  Item item;
  item.kind = operation.kind;
  item.user = operation.user;
  item.key = operation.key;
  if (operation.session) {
    item.session = operation.session;
    item.source = operation.session;
  } else {
    item.source = shared_from_this();
  }
  return item;
}

void Operations::report(const Operation& operation, Item item) {
  if (!operation.quiet) queue_->push(std::move(item));
}

void Operations::close() {
  std::unordered_set<std::shared_ptr<Operation>> left;
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    left.swap(under_way_);
    for (const auto& operation : left) {
      if (!holds_slot_until_taken(*operation)) --slots_;
    }
  }
  for (const auto& operation : left) {
    auto item = event_of(*operation);
    item.status = AXL_E_CLOSED;
    item.text = "the node has been stopped";
    report(*operation, std::move(item));
  }
}

bool Operations::take(Item&) {
  const std::lock_guard lock{mutex_};
  --slots_;
  return true;
}

}  // namespace axl::c
