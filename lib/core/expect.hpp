// Our own invariants. A broken one stops a checked build (debug, tests, fuzzing); in release it is reported once per
// place and the code takes its safe exit. Input from outside is never checked this way.
#pragma once

#include <atomic>

namespace axl::core {

/// Reports a broken invariant; ends the program in checked builds.
void invariant_broken(const char* condition, const char* file, int line) noexcept;

/// How many invariants have been seen broken in this process; tests assert that it is zero.
[[nodiscard]] long broken_invariants() noexcept;

}  // namespace axl::core

/// If `cond` is false: report, then run the statement `safe_exit` (`return`, `x = 0`, ...).
#define AXL_EXPECT_OR(cond, safe_exit)                                                            \
  do {                                                                                            \
    if (!(cond)) [[unlikely]] {                                                                   \
      static std::atomic_flag axl_reported;                                                       \
      if (!axl_reported.test_and_set()) ::axl::core::invariant_broken(#cond, __FILE__, __LINE__); \
      safe_exit;                                                                                  \
    }                                                                                             \
  } while (false)
