// How many bytes one direction of a relayed exchange may hold before its source is paused.
//
// A reader that keeps up gets more, so that a long round trip does not hold it back: when it has emptied the window
// sixteen times, each time within a quarter of a second and not so fast that more room would gain nothing, the window
// doubles. A slow reader costs the first window; what its socket takes in one go at the beginning changes little.
//
// One that was fast and then stops keeps what it has got, so what many such readers get is the owner's to bound.
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
  /// `may_grow`: the owner has bytes for a larger window.
  void on_room(Time now, bool may_grow = true) noexcept {
    full_ = false;
    const auto took = now - since_;
    if (took >= kSlow) {
      size_ = first_;
      emptied_ = 0;
    } else if (took > kAtOnce && ++emptied_ == kEmptied) {
      if (may_grow) size_ = std::min(2 * size_, kMostWindows * first_);
      emptied_ = 0;
    }
  }

 private:
  static constexpr Duration kSlow = std::chrono::milliseconds{250};
  static constexpr Duration kAtOnce = std::chrono::milliseconds{2};
  static constexpr int kEmptied = 16;
  static constexpr std::size_t kMostWindows = 64;

  std::size_t first_;
  std::size_t size_;
  Time since_{};
  int emptied_ = 0;  // times since the last change of size
  bool full_ = false;
};

}  // namespace axl::http
