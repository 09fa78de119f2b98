#include "heap.hpp"

#include <algorithm>
#include <utility>

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

namespace axl::daemon {

void keep_some_freed_memory() {
#ifdef __GLIBC__
  constexpr int kKept = 4 * 1024 * 1024;       // at the end of each arena
  constexpr int kOwnMapping = 4 * 1024 * 1024;  // larger blocks go back to the kernel at once
  mallopt(M_TRIM_THRESHOLD, kKept);
  mallopt(M_MMAP_THRESHOLD, kOwnMapping);
#endif
}

void HeapTidier::look() {
#ifdef __GLIBC__
  constexpr std::size_t kWorthwhile = 4 * 1024 * 1024;
  const std::size_t free_now = mallinfo2().fordblks;
  given_back_ = std::min(given_back_, free_now);
  const auto idle = std::min(free_now, std::exchange(free_before_, free_now));
  if (idle < given_back_ + kWorthwhile) return;
  malloc_trim(0);
  given_back_ = mallinfo2().fordblks;
#endif
}

}  // namespace axl::daemon
