// The tasks of the built-in agent. A caller sees only its own.
//
// Bounded in number, bytes and tasks of one caller. When full, the oldest finished task goes, of the same caller where
// its own bound is reached; when all are running, a new one is refused.
//
// Pure. Source: bridge, section 6; A2A 1.0, ListTasks.
#pragma once

#include <axl/result.hpp>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "a2a/agent_task.hpp"

namespace axl::a2a {

struct ListFilter {
  std::string context_id = {};  ///< empty: any
  std::optional<TaskState> state = {};
  std::optional<WallTime> updated_after = {};
  std::optional<std::uint64_t> before = {};  ///< from an earlier page: only versions below
  std::size_t page_size = 50;
  std::size_t page_bytes = 8UL * 1024 * 1024;  ///< a page is full with so much too, but holds one task at least
};

struct TaskPage {
  std::vector<const Task*> tasks;                ///< the last changed first; good until the next change
  std::optional<std::uint64_t> continue_before;  ///< there are more
  std::size_t total = 0;                         ///< over all pages
};

class TaskStore {
 public:
  struct Limits {
    std::size_t tasks = 4'096;
    std::size_t tasks_per_owner = 512;
    std::size_t bytes = 64UL * 1024 * 1024;
  };

  explicit TaskStore(Limits limits) noexcept : limits_{limits} {}

  /// Error: limit_reached.
  Result<void> add(Task task);
  [[nodiscard]] const Task* find(const PublicKey& owner, std::string_view id) const;
  /// False, and unchanged, when there is no such task or it is finished.
  bool set_state(std::string_view id, TaskState state, std::string status_text, WallTime now);
  /// Error: limit_reached, when there is no room for it.
  Result<void> set_answer(std::string_view id, std::string answer, WallTime now);
  [[nodiscard]] TaskPage list(const PublicKey& owner, const ListFilter& filter) const;

  [[nodiscard]] std::size_t size() const noexcept { return tasks_.size(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  struct Entry {
    Task task;
    std::size_t bytes = 0;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  void account(Entry& entry);
  /// Frees the oldest finished task; of `owner` only, if given.
  bool evict(const PublicKey* owner);
  [[nodiscard]] bool make_room(std::size_t bytes);

  Limits limits_;
  Entries tasks_;
  std::map<std::uint64_t, Entries::iterator> finished_;  // by version, so the oldest comes first
  std::map<PublicKey, std::size_t> per_owner_;
  std::size_t bytes_ = 0;
  std::uint64_t next_version_ = 1;
};

}  // namespace axl::a2a
