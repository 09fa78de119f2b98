#include "config_text.hpp"

namespace axl::daemon {

namespace {

bool starts_with(ByteSpan bytes, std::string_view mark) { return as_text(bytes).starts_with(mark); }

Result<std::string> from_utf16(ByteSpan bytes, bool big_endian) {
  if (bytes.size() % 2 != 0) return Error{Errc::malformed, "UTF-16 text with an odd number of bytes"};
  const auto unit = [&](std::size_t at) {
    const auto first = std::to_integer<std::uint32_t>(bytes[at]);
    const auto second = std::to_integer<std::uint32_t>(bytes[at + 1]);
    return big_endian ? first << 8U | second : second << 8U | first;
  };
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += 2) {
    auto code = unit(at);
    if (code >= 0xD800 && code < 0xE000) {
      const auto low = at + 4 <= bytes.size() ? unit(at + 2) : 0;
      if (code >= 0xDC00 || low < 0xDC00 || low >= 0xE000) return Error{Errc::malformed, "bad UTF-16 text"};
      code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
      at += 2;
    }
    append_utf8(out, code);
  }
  return out;
}

}  // namespace

void append_utf8(std::string& out, std::uint32_t code) {
  const auto add = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xC0 | code >> 6U);
    add(0x80 | (code & 0x3FU));
  } else if (code < 0x10000) {
    add(0xE0 | code >> 12U);
    add(0x80 | (code >> 6U & 0x3FU));
    add(0x80 | (code & 0x3FU));
  } else {
    add(0xF0 | code >> 18U);
    add(0x80 | (code >> 12U & 0x3FU));
    add(0x80 | (code >> 6U & 0x3FU));
    add(0x80 | (code & 0x3FU));
  }
}

Result<std::string> decode_text(ByteSpan bytes) {
  if (starts_with(bytes, "\xEF\xBB\xBF")) return std::string{as_text(bytes.subspan(3))};
  if (starts_with(bytes, "\xFF\xFE")) return from_utf16(bytes.subspan(2), false);
  if (starts_with(bytes, "\xFE\xFF")) return from_utf16(bytes.subspan(2), true);
  return std::string{as_text(bytes)};
}

}  // namespace axl::daemon
