#include "core/printable.hpp"

#include <cstdint>

namespace axl {

std::size_t printable_size(std::string_view text) noexcept {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  if (text.empty()) return 0;
  const auto first = at(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const std::size_t size = first >= 0xf0 && first < 0xf5   ? 4
                           : first >= 0xe0 && first < 0xf0 ? 3
                           : first >= 0xc2                 ? 2
                                                           : 0;
  if (size == 0 || first >= 0xf5 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((at(i) & 0xc0U) != 0x80U) return 0;
  }
  if (first == 0xc2 && at(1) < 0xa0) return 0;                    // C1 controls
  if (first == 0xe0 && at(1) < 0xa0) return 0;                    // too long a form
  if (first == 0xed && at(1) >= 0xa0) return 0;                   // surrogates
  if (first == 0xf0 && at(1) < 0x90) return 0;                    // too long a form
  if (first == 0xe2 && at(1) == 0x80 && at(2) >= 0xa8) return 0;  // line separators, directions
  if (first == 0xe2 && at(1) == 0x81 && at(2) >= 0xa6) return 0;  // directions
  return size;
}

}  // namespace axl
