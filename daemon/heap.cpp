#include "heap.hpp"

#include <algorithm>
#include <fstream>
#include <utility>

#if __has_include(<malloc.h>)
#include <malloc.h>
#include <unistd.h>
#endif

namespace axl::daemon {

#ifdef __GLIBC__

namespace {

// Resident memory of our own that holds nothing: free blocks of the heap, and a little that is none (stacks).
std::size_t resident_and_unused() {
  std::ifstream file{"/proc/self/statm"};  // pages: all, resident, of those shared with files
  std::size_t all = 0;
  std::size_t resident = 0;
  std::size_t shared = 0;
  if (!(file >> all >> resident >> shared)) return 0;
  const auto own = (resident - shared) * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto heap = ::mallinfo2();
  return own - std::min(own, heap.uordblks + heap.hblkhd);
}

}  // namespace

void keep_some_freed_memory() {
  constexpr int kKept = 4 * 1024 * 1024;       // at the end of each arena
  constexpr int kOwnMapping = 4 * 1024 * 1024;  // larger blocks go back to the kernel at once
  mallopt(M_TRIM_THRESHOLD, kKept);
  mallopt(M_MMAP_THRESHOLD, kOwnMapping);
}

void HeapTidier::look() {
  constexpr std::size_t kWorthwhile = 4 * 1024 * 1024;
  const auto now = resident_and_unused();
  least_ = std::min(least_, now);
  const auto for_long = std::min(now, std::exchange(before_, now));
  if (for_long < least_ + kWorthwhile) return;
  malloc_trim(0);
  least_ = resident_and_unused();
}

#else

void keep_some_freed_memory() {}
void HeapTidier::look() {}

#endif

}  // namespace axl::daemon
