// How much of a message's body is there, while it goes on to the peer and the rest of it still comes from its client.
//
// The body lies in one piece of memory from the start, so that it can be sent again in whole if a connection is lost.
// Lives on the loop.
#pragma once

#include <cstddef>

namespace axl::bridge {

class Arrival {
 public:
  class Watcher {
   public:
    /// More is there, or the rest will never come. The arrival lives at least as long as the call.
    virtual void on_more() = 0;

   protected:
    ~Watcher() = default;
  };

  Arrival(std::size_t size, std::size_t there) noexcept : size_{size}, there_{there} {}
  Arrival(const Arrival&) = delete;
  Arrival& operator=(const Arrival&) = delete;

  [[nodiscard]] std::size_t there() const noexcept { return there_; }
  [[nodiscard]] bool complete() const noexcept { return there_ == size_; }
  /// The client went before it had sent everything.
  [[nodiscard]] bool broken() const noexcept { return broken_; }

  /// One at a time; null for none.
  void watch(Watcher* watcher) noexcept { watcher_ = watcher; }

  /// So many bytes are there now, from the front.
  void grow_to(std::size_t there) {
    there_ = there;
    tell();
  }
  void break_off() {
    if (complete()) return;
    broken_ = true;
    tell();
  }

 private:
  void tell() {
    if (watcher_ != nullptr) watcher_->on_more();
  }

  std::size_t size_;
  std::size_t there_;
  bool broken_ = false;
  Watcher* watcher_ = nullptr;
};

}  // namespace axl::bridge
