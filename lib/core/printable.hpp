// Which text may be shown as it is: what others wrote must not steer a terminal, nor pretend to be another line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace axl {

/// Bytes of the UTF-8 sequence at the front if that may be shown; 0: it is a control character, a line separator, a
/// mark of direction or no UTF-8, or there is no text.
[[nodiscard]] std::size_t printable_size(std::string_view text) noexcept;

/// `text` with each byte that may not be shown as `\xNN`. What has been through here once stays as it is.
[[nodiscard]] std::string printable(std::string_view text);

/// The front of `text`, at most `most` bytes and whole UTF-8 sequences of it, and three dots where more has been.
[[nodiscard]] std::string clipped(std::string_view text, std::size_t most);

}  // namespace axl
