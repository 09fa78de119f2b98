#pragma once

namespace axl::daemon {

/// Lets the heap keep some megabytes of what messages have freed. With the C library's own settings every large message
/// gives its pages back to the kernel and the next one has them cleared again, which costs more than its encryption.
void keep_some_freed_memory();

}  // namespace axl::daemon
