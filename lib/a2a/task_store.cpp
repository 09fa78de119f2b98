#include "a2a/task_store.hpp"

#include <algorithm>
#include <utility>

namespace axl::a2a {

namespace {

constexpr std::size_t kOverhead = 512;  // of a task, besides its texts

std::size_t size_of(const Task& task) {
  auto size = kOverhead + task.id.size() + task.context_id.size() + task.status_text.size() + task.answer.size();
  for (const auto& message : task.history) {
    size += message.id.size() + message.metadata.size() + message.task_id.size() + message.context_id.size();
    for (const auto& part : message.parts) size += sizeof(Part) + part.content.size();
  }
  return size;
}

}  // namespace

Result<void> TaskStore::add(Task task) {
  const auto size = size_of(task);
  const auto& owner = task.owner;
  if (const auto own = per_owner_.find(owner); own != per_owner_.end() && own->second >= limits_.tasks_per_owner) {
    if (!evict(&owner)) return Error{Errc::limit_reached, "too many tasks of this caller are running"};
  }
  if (tasks_.size() >= limits_.tasks && !evict(nullptr)) {
    return Error{Errc::limit_reached, "too many tasks are running"};
  }
  if (!make_room(size)) return Error{Errc::limit_reached, "no room for another task"};
  task.version = next_version_++;
  auto id = task.id;
  const auto [entry, added] = tasks_.try_emplace(std::move(id), Entry{std::move(task), size});
  if (!added) return Error{Errc::already_exists, "a task of that name"};
  bytes_ += size;
  ++per_owner_[entry->second.task.owner];
  return {};
}

const Task* TaskStore::find(const PublicKey& owner, std::string_view id) const {
  const auto found = tasks_.find(id);
  return found != tasks_.end() && found->second.task.owner == owner ? &found->second.task : nullptr;
}

bool TaskStore::set_state(std::string_view id, TaskState state, std::string status_text, WallTime now) {
  const auto found = tasks_.find(id);
  if (found == tasks_.end() || is_final(found->second.task.state)) return false;
  auto& task = found->second.task;
  task.state = state;
  task.status_text = std::move(status_text);
  task.updated = now;
  task.version = next_version_++;
  if (is_final(state)) finished_.emplace(task.version, found);
  account(found->second);
  return true;
}

Result<void> TaskStore::set_answer(std::string_view id, std::string answer, WallTime now) {
  const auto found = tasks_.find(id);
  if (found == tasks_.end() || is_final(found->second.task.state)) return Error{Errc::not_found, "no running task"};
  if (!make_room(answer.size())) return Error{Errc::limit_reached, "no room for the answer"};
  auto& task = found->second.task;
  task.answer = std::move(answer);
  task.updated = now;
  task.version = next_version_++;
  account(found->second);
  return {};
}

TaskPage TaskStore::list(const PublicKey& owner, const ListFilter& filter) const {
  std::vector<const Task*> matching;
  for (const auto& [id, entry] : tasks_) {
    const auto& task = entry.task;
    if (task.owner != owner) continue;
    if (!filter.context_id.empty() && task.context_id != filter.context_id) continue;
    if (filter.state && task.state != *filter.state) continue;
    if (filter.updated_after && task.updated < *filter.updated_after) continue;
    matching.push_back(&task);
  }
  std::sort(matching.begin(), matching.end(), [](const Task* a, const Task* b) { return a->version > b->version; });
  TaskPage page;
  page.total = matching.size();
  std::size_t bytes = 0;
  for (const auto* task : matching) {
    if (filter.before && task->version >= *filter.before) continue;
    bytes += size_of(*task);
    if (page.tasks.size() == filter.page_size || (bytes > filter.page_bytes && !page.tasks.empty())) {
      page.continue_before = page.tasks.empty() ? task->version + 1 : page.tasks.back()->version;
      break;
    }
    page.tasks.push_back(task);
  }
  return page;
}

void TaskStore::account(Entry& entry) {
  bytes_ -= entry.bytes;
  entry.bytes = size_of(entry.task);
  bytes_ += entry.bytes;
}

bool TaskStore::evict(const PublicKey* owner) {
  const auto oldest = std::find_if(finished_.begin(), finished_.end(), [owner](const auto& finished) {
    return owner == nullptr || finished.second->second.task.owner == *owner;
  });
  if (oldest == finished_.end()) return false;
  const auto entry = oldest->second;
  bytes_ -= entry->second.bytes;
  const auto own = per_owner_.find(entry->second.task.owner);
  if (--own->second == 0) per_owner_.erase(own);
  finished_.erase(oldest);
  tasks_.erase(entry);
  return true;
}

bool TaskStore::make_room(std::size_t bytes) {
  if (bytes > limits_.bytes) return false;
  while (bytes_ > limits_.bytes - bytes) {
    if (!evict(nullptr)) return false;
  }
  return true;
}

}  // namespace axl::a2a
