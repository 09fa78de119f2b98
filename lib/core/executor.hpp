// The one loop of a node, seen from below it: a place to run things in turn.
#pragma once

#include <functional>

namespace axl {

class Executor {
 public:
  /// Runs `task` on the loop, after this call has returned; from any thread. Dropped when the loop has ended.
  virtual void post(std::function<void()> task) = 0;
  /// True on the thread that is running the loop now.
  [[nodiscard]] virtual bool on_loop() const noexcept = 0;

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
