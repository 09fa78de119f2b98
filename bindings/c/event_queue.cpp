#include "event_queue.hpp"

#include <algorithm>
#include <utility>

#include "message.hpp"

namespace axl::c {

namespace {

axl_log_level level_of(LogLevel level) noexcept { return static_cast<axl_log_level>(static_cast<int>(level) + 1); }

}  // namespace

EventQueue::EventQueue(Signal signal) : signal_{std::move(signal)} {}
EventQueue::~EventQueue() = default;

bool EventQueue::idle() const {
  return items_.empty() && notices_.empty() && lines_.empty() && releases_.empty() && !woken_ && !closed_;
}

void EventQueue::tell() {
  signal_.set();
  something_.notify_one();
}

void EventQueue::push(Item item) {
  const std::lock_guard lock{mutex_};
  if (orphaned_) return;
  items_.push_back(std::move(item));
  tell();
}

void EventQueue::push_notice(Item item) {
  const std::lock_guard lock{mutex_};
  if (orphaned_) return;
  if (notices_.size() >= kMaxNotices) {
    missed_ += 1 + notices_.front().item.missed;
    notices_.pop_front();
  }
  item.missed = std::exchange(missed_, 0);
  notices_.push_back({popped_ + items_.size(), std::move(item)});
  tell();
}

void EventQueue::log(LogLevel level, std::string_view area, std::string_view text) {
  const std::lock_guard lock{mutex_};
  if (hook_.call == nullptr || level_of(level) < hook_.level || orphaned_) return;
  if (lines_.size() >= kMaxLines) {
    lines_.pop_front();
    ++lost_lines_;
  }
  lines_.push_back({level, std::string{area}, std::string{text}});
  tell();
}

void EventQueue::release(const Release& release) {
  {
    const std::lock_guard lock{mutex_};
    if (!orphaned_) {
      releases_.push_back(release);
      tell();
      return;
    }
  }
  release.call(release.user, release.data, release.size);
}

void EventQueue::set_log(axl_log_fn hook, void* user, int level) {
  const std::lock_guard calling{calling_};  // the one before does not run any more
  const std::lock_guard lock{mutex_};
  hook_ = {hook, user, level == AXL_LOG_DEFAULT ? AXL_LOG_INFO : level};
  if (hook == nullptr) {
    lines_.clear();
    lost_lines_ = 0;
  }
}

void EventQueue::wake() {
  const std::lock_guard lock{mutex_};
  woken_ = true;
  tell();
}

std::vector<Item> EventQueue::withdraw(const Source& source) {
  std::vector<Item> taken;
  const std::lock_guard lock{mutex_};
  const auto is_of_source = [&](const Item& item) { return item.source.get() == &source; };
  if (std::ranges::none_of(items_, is_of_source)) return taken;
  std::deque<Item> others;
  for (auto& item : items_) {
    if (is_of_source(item)) {
      taken.push_back(std::move(item));
    } else {
      others.push_back(std::move(item));
    }
  }
  items_.swap(others);
  if (idle()) signal_.clear();
  return taken;
}

void EventQueue::close() {
  const std::lock_guard lock{mutex_};
  closed_ = true;
  tell();
}

void EventQueue::orphan() {
  call_back();
  std::deque<Item> items;
  {
    const std::lock_guard lock{mutex_};
    items.swap(items_);
    notices_.clear();
  }
  items.clear();  // buffers lent to messages in it fall due
  call_back();
  {
    const std::lock_guard lock{mutex_};
    orphaned_ = true;
    signal_ = Signal{};
  }
  call_back();
}

std::optional<Item> EventQueue::pop_any() {
  const std::lock_guard lock{mutex_};
  std::optional<Item> item;
  if (!notices_.empty() && (items_.empty() || notices_.front().before <= popped_)) {
    item.emplace(std::move(notices_.front().item));
    notices_.pop_front();
  } else if (!items_.empty()) {
    item.emplace(std::move(items_.front()));
    items_.pop_front();
    ++popped_;
  }
  if (idle()) signal_.clear();
  return item;
}

std::optional<Item> EventQueue::pop() {
  for (;;) {
    auto item = pop_any();
    if (!item || !item->source || item->source->take(*item)) return item;
  }
}

bool EventQueue::empty() const {
  const std::lock_guard lock{mutex_};
  return items_.empty() && notices_.empty();
}

bool EventQueue::closed() const {
  const std::lock_guard lock{mutex_};
  return closed_;
}

bool EventQueue::take_wake() {
  const std::lock_guard lock{mutex_};
  const bool woken = std::exchange(woken_, false);
  if (woken && idle()) signal_.clear();
  return woken;
}

void EventQueue::wait(Deadline deadline) {
  std::unique_lock lock{mutex_};
  something_.wait_until(lock, deadline, [this] { return !idle(); });
}

void EventQueue::call_log(const Line& line, std::uint64_t lost) {
  const std::lock_guard calling{calling_};
  Hook hook;
  {
    const std::lock_guard lock{mutex_};
    hook = hook_;
  }
  if (hook.call == nullptr) return;
  if (lost > 0) {
    const auto text = std::to_string(lost) + " lines had no room while nobody polled";
    hook.call(hook.user, AXL_LOG_WARNING, "axl", text.c_str());
  }
  const auto level = level_of(line.level);
  if (level >= hook.level) hook.call(hook.user, level, line.area.c_str(), line.text.c_str());
}

void EventQueue::call_back() {
  for (;;) {
    std::deque<Line> lines;
    std::vector<Release> releases;
    std::uint64_t lost = 0;
    {
      const std::lock_guard lock{mutex_};
      if (lines_.empty() && releases_.empty()) return;
      lines.swap(lines_);
      releases.swap(releases_);
      lost = std::exchange(lost_lines_, 0);
      if (idle()) signal_.clear();
    }
    for (const auto& line : lines) call_log(line, std::exchange(lost, 0));
    for (const auto& release : releases) release.call(release.user, release.data, release.size);
  }
}

}  // namespace axl::c
