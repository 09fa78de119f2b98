// Which text may be shown as it is: what others wrote must not steer a terminal, nor pretend to be another line.
#pragma once

#include <cstddef>
#include <string_view>

namespace axl {

/// Bytes of the UTF-8 sequence at the front if that may be shown; 0: it is a control character, a line separator, a
/// mark of direction or no UTF-8, or there is no text.
[[nodiscard]] std::size_t printable_size(std::string_view text) noexcept;

}  // namespace axl
