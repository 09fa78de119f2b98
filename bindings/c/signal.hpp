// A descriptor that is readable from set() to clear(): an eventfd, or a pipe where there is none.
#pragma once

#include <axl/result.hpp>

namespace axl::c {

class Signal {
 public:
  [[nodiscard]] static Result<Signal> open(bool with_pipe = false);

  Signal() = default;  ///< of nobody: set() and clear() do nothing
  Signal(Signal&& other) noexcept;
  Signal& operator=(Signal&& other) noexcept;
  ~Signal();

  void set() noexcept;
  void clear() noexcept;
  [[nodiscard]] int descriptor() const noexcept { return read_; }

 private:
  Signal(int read, int write) noexcept : read_{read}, write_{write} {}

  int read_ = -1;
  int write_ = -1;  // the same for an eventfd
  bool set_ = false;
};

}  // namespace axl::c
