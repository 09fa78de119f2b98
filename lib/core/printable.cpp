#include "core/printable.hpp"

#include <algorithm>
#include <cstdint>

#include "core/utf8.hpp"

namespace axl {

namespace {

// Of the code points below: what breaks lines, and what turns the direction of the text around it.
bool steers(std::uint32_t code) noexcept {
  return code == 0x061C || code == 0x200E || code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x206F);
}

}  // namespace

std::size_t printable_size(std::string_view text) noexcept {
  if (text.empty()) return 0;
  const auto first = static_cast<std::uint8_t>(text.front());
  if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : 0;
  const auto size = utf8_length(text);
  if (size == 0) return 0;
  if (first == 0xC2 && static_cast<std::uint8_t>(text[1]) < 0xA0) return 0;  // C1 controls
  std::uint32_t code = first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) code = code << 6U | (static_cast<std::uint8_t>(text[i]) & 0x3FU);
  return steers(code) ? 0 : size;
}

std::string printable(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto size = printable_size(text);
    if (size > 0) {
      out += text.substr(0, size);
    } else {
      const auto byte = static_cast<std::uint8_t>(text.front());
      out += {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

std::string clipped(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string{text};
  auto end = most;
  for (int back = 0; back < 3 && end > 0 && (static_cast<std::uint8_t>(text[end]) & 0xC0U) == 0x80U; ++back) --end;
  return std::string{text.substr(0, end)} + "...";
}

}  // namespace axl
