// Writing to pipes without the signal that a library must neither suffer nor handle. Included by sources only.
#pragma once

#include <sys/uio.h>

#include <cstddef>

namespace axl::net {

/// writev(), except that a pipe nobody reads gives EPIPE and no SIGPIPE.
[[nodiscard]] ssize_t quiet_writev(int descriptor, const iovec* pieces, int count) noexcept;

}  // namespace axl::net
