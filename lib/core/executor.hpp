// The one loop of a node, seen from below it: a place to run things in turn.
#pragma once

#include <axl/result.hpp>
#include <functional>

namespace axl {

class Executor {
 public:
  /// Runs `task` on the loop, after this call has returned; from any thread. Dropped when the loop has ended.
  virtual void post(std::function<void()> task) = 0;
  /// True on the thread that is running the loop now.
  [[nodiscard]] virtual bool on_loop() const noexcept = 0;

  /// Whether this thread may wait for what the loop does, or for hearing that it has ended: an error where nobody else
  /// turns it.
  [[nodiscard]] virtual Result<void> may_block() const { return {}; }

  /// At once when on the loop, else as post().
  void dispatch(std::function<void()> task) {
    if (on_loop()) {
      task();
    } else {
      post(std::move(task));
    }
  }

 protected:
  ~Executor() = default;
};

}  // namespace axl
