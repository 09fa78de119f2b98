#include "core/expect.hpp"

#include <cstdio>
#include <cstdlib>

namespace axl::core {

namespace {
std::atomic<long> broken_count{0};
}

void invariant_broken(const char* condition, const char* file, int line) noexcept {
  broken_count.fetch_add(1, std::memory_order_relaxed);
#ifdef AXL_CHECKED
  std::fprintf(stderr, "%s:%d: invariant broken: %s\n", file, line, condition);
  std::abort();
#else
  static_cast<void>(condition);
  static_cast<void>(file);
  static_cast<void>(line);
#endif
}

long broken_invariants() noexcept { return broken_count.load(std::memory_order_relaxed); }

}  // namespace axl::core
