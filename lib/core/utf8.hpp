// UTF-8, one code point at a time. RFC 3629.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace axl {

/// Length of the sequence at the front of `text`, which is not empty; 0 when it is none.
[[nodiscard]] std::size_t utf8_length(std::string_view text) noexcept;

/// What is no code point (a lone surrogate, say) becomes U+FFFD.
void append_utf8(std::string& out, std::uint32_t code);

}  // namespace axl
