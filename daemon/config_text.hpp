// From the bytes of a config file to UTF-8 text: a byte-order mark tells UTF-8 and both kinds of UTF-16.
#pragma once

#include <axl/bytes.hpp>
#include <axl/result.hpp>
#include <cstdint>
#include <string>

namespace axl::daemon {

[[nodiscard]] Result<std::string> decode_text(ByteSpan bytes);

/// `code` is a Unicode scalar value.
void append_utf8(std::string& out, std::uint32_t code);

}  // namespace axl::daemon
