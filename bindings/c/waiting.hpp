// What waits for axl_poll and cannot be slowed down at its source: bounded, and the oldest goes.
//
// Each event in the queue stands for the oldest that waits here when it is taken, so that what goes leaves no event of
// its own behind. Not thread-safe: its owner has a lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

namespace axl::c {

template <class T>
class Waiting {
 public:
  struct Taken {
    T value;
    std::uint64_t missed = 0;  ///< that went before it, since the one before
  };
  Waiting(std::size_t most, std::size_t most_bytes) : most_{most}, most_bytes_{most_bytes} {}

  /// True: an event has to be put into the queue. One that is too large alone stays.
  [[nodiscard]] bool add(T value, std::size_t bytes) {
    waiting_.push_back({std::move(value), bytes});
    bytes_ += bytes;
    while (waiting_.size() > most_ || (bytes_ > most_bytes_ && waiting_.size() > 1)) {
      drop_front();
      ++missed_;
    }
    if (events_ >= waiting_.size()) return false;
    ++events_;
    return true;
  }
  /// For an event; empty: it has gone.
  [[nodiscard]] std::optional<Taken> take() {
    --events_;
    if (waiting_.empty()) return std::nullopt;
    std::optional<Taken> taken{Taken{std::move(waiting_.front().value), std::exchange(missed_, 0)}};
    drop_front();
    return taken;
  }
  void clear() {
    waiting_.clear();
    bytes_ = 0;
  }

 private:
  struct Entry {
    T value;
    std::size_t bytes = 0;
  };
  void drop_front() {
    bytes_ -= waiting_.front().bytes;
    waiting_.pop_front();
  }

  const std::size_t most_;
  const std::size_t most_bytes_;
  std::deque<Entry> waiting_;
  std::size_t bytes_ = 0;
  std::size_t events_ = 0;  // in the queue, at least as many as wait
  std::uint64_t missed_ = 0;
};

}  // namespace axl::c
