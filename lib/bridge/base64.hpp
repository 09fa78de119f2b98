// Bytes as base64 text. RFC 4648, section 4.
#pragma once

#include <axl/bytes.hpp>
#include <string>

namespace axl::bridge {

/// Pieces whose size divides by three may be encoded one after the other.
[[nodiscard]] std::string to_base64(ByteSpan bytes);

}  // namespace axl::bridge
