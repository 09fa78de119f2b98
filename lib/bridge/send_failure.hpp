// What a program is told when a message could not be sent: the same on `/send` and `/ws`.
//
// Source: bridge, section 3.2; section 9, rows 2 and 8.
#pragma once

#include <axl/error.hpp>
#include <cstddef>
#include <string>

namespace axl::bridge {

struct SendFailure {
  int status = 502;
  std::string text;
  bool later = false;  ///< nothing was done, and it may work in a second
};

/// `size` of the body, and the most that it may have.
[[nodiscard]] SendFailure describe_failure(const Error& error, std::size_t size, std::size_t max_size);

}  // namespace axl::bridge
