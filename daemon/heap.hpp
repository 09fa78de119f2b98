#pragma once

#include <cstddef>

namespace axl::daemon {

/// Lets the heap keep some megabytes of what messages have freed. With the C library's own settings every large message
/// gives its pages back to the kernel and the next one has them cleared again, which costs more than its encryption.
void keep_some_freed_memory();

/// Gives back what has been free for a while. Left alone, freed memory below anything that lives on stays resident: a
/// node kept for good what a thousand handshakes or a burst of packets had taken once.
class HeapTidier {
 public:
  /// Once every ten seconds or so: what was unused at the last look and still is goes back, if it is some megabytes.
  void look();

 private:
  std::size_t before_ = 0;  // at the last look
  std::size_t least_ = 0;   // since nothing could be given back
};

}  // namespace axl::daemon
