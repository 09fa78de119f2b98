// How many requests were answered with what kind of status.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace axl::http {

/// 1xx to 5xx.
struct StatusCounts {
  std::array<std::uint64_t, 5> by_class{};
  void add(int status) noexcept {
    if (status >= 100 && status < 600) ++by_class[static_cast<std::size_t>(status / 100 - 1)];
  }
};

}  // namespace axl::http
