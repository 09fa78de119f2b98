#include "heap.hpp"

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

}  // namespace axl::daemon
