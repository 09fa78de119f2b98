// How many bytes one direction of a relayed exchange may hold before its source is paused.
//
// A reader that keeps up gets more, so that a long round trip does not hold it back: the window doubles whenever it
// empties within a quarter of a second. A slow reader costs the first window and no more.
#pragma once

#include <algorithm>
#include <axl/time.hpp>
#include <cstddef>

namespace axl::http {

class FlowWindow {
 public:
  explicit FlowWindow(std::size_t first) noexcept : first_{first}, size_{first} {}

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool full() const noexcept { return full_; }
  void on_full(Time now) noexcept {
    full_ = true;
    since_ = now;
  }
  void on_room(Time now) noexcept {
    full_ = false;
    size_ = now - since_ < kQuick ? std::min(2 * size_, kMostWindows * first_) : first_;
  }

 private:
  static constexpr Duration kQuick = std::chrono::milliseconds{250};
  static constexpr std::size_t kMostWindows = 64;

  std::size_t first_;
  std::size_t size_;
  Time since_{};
  bool full_ = false;
};

}  // namespace axl::http
