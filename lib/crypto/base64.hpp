// Bytes as base64 text. RFC 4648, section 4.
#pragma once

#include <axl/bytes.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace axl::crypto {

/// Pieces whose size divides by three may be encoded one after the other.
[[nodiscard]] std::string to_base64(ByteSpan bytes);

/// With its padding and nothing else in it; empty otherwise.
[[nodiscard]] std::optional<Bytes> from_base64(std::string_view text);

}  // namespace axl::crypto
