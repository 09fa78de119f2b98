// The calls whose outcome is an event: each has exactly one, also when the node stops first.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_set>

#include "event_queue.hpp"
#include "status.hpp"

namespace axl::c {

struct Operation {
  axl_event_kind kind{};
  void* user = nullptr;
  bool quiet = false;  ///< no event
  axl_key key{};
  std::shared_ptr<axl_session> session = {};  ///< that is to be opened
};

class Operations final : public Source, public std::enable_shared_from_this<Operations> {
 public:
  Operations(std::shared_ptr<EventQueue> queue, std::size_t limit) : queue_{std::move(queue)}, limit_{limit} {}

  /// would_block: so many are under way, or their events have not been taken; closed: the node has stopped.
  [[nodiscard]] Result<std::shared_ptr<Operation>> begin(Operation operation);
  /// False: it has ended already, with the node.
  [[nodiscard]] bool end(const std::shared_ptr<Operation>& operation);
  /// It has not begun after all. False: it has ended already, with the node.
  [[nodiscard]] bool withdraw(const std::shared_ptr<Operation>& operation);
  /// Its event, with what the operation knows of it.
  [[nodiscard]] Item event_of(const Operation& operation);
  /// The event of an operation that has ended.
  void report(const Operation& operation, Item item);
  /// The node has stopped: all that is left ends as closed.
  void close();

  [[nodiscard]] bool take(Item& item) override;

 private:
  const std::shared_ptr<EventQueue> queue_;
  const std::size_t limit_;
  std::mutex mutex_;
  std::unordered_set<std::shared_ptr<Operation>> under_way_;
  std::size_t slots_ = 0;  // taken: under way, or with an event that waits
  bool closed_ = false;
};

}  // namespace axl::c
