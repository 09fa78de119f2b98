// Bytes, owned and viewed, and their hexadecimal text.
#pragma once

#include <axl/api.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace axl {

using Bytes = std::vector<std::byte>;
using ByteSpan = std::span<const std::byte>;
using MutableByteSpan = std::span<std::byte>;

/// The bytes of a text, without copying it.
[[nodiscard]] inline ByteSpan as_bytes(std::string_view text) noexcept {
  return std::as_bytes(std::span{text.data(), text.size()});
}

/// The text that these bytes are, without copying or checking them.
[[nodiscard]] inline std::string_view as_text(ByteSpan bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[nodiscard]] inline Bytes to_bytes(ByteSpan bytes) { return {bytes.begin(), bytes.end()}; }
[[nodiscard]] inline Bytes to_bytes(std::string_view text) { return to_bytes(as_bytes(text)); }

/// Lower-case hexadecimal digits, two per byte.
[[nodiscard]] AXL_API std::string to_hex(ByteSpan bytes);

/// Bytes of an even number of hexadecimal digits of either case; empty for anything else.
[[nodiscard]] AXL_API std::optional<Bytes> from_hex(std::string_view digits);

}  // namespace axl
