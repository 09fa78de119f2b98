#include "terminal_text.hpp"

#include <array>
#include <cstdint>

namespace gossip {
namespace {

struct Character {
  std::uint32_t code = 0;
  std::size_t size = 0;  // bytes; 0: no UTF-8
};

Character first_of(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return {};
  std::uint32_t code = lead & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xc0U) != 0x80) return {};
    code = (code << 6U) | (next & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {};
  return {code, size};
}

bool may_be_shown(std::uint32_t code) {
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return false;
  const bool direction = code == 0x61c || (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
                         (code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
  return !direction;
}

}  // namespace

std::string shown(std::string_view text, std::size_t columns) {
  std::string out;
  std::size_t before_last = 0;
  for (std::size_t column = 0; !text.empty(); ++column) {
    if (column == columns) {
      out.resize(before_last);
      return columns == 0 ? out : out + "…";
    }
    before_last = out.size();
    const auto character = first_of(text);
    const auto size = character.size == 0 ? 1 : character.size;
    out += character.size != 0 && may_be_shown(character.code) ? text.substr(0, size) : std::string_view{"?"};
    text.remove_prefix(size);
  }
  return out;
}

}  // namespace gossip
