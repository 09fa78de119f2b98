// What others wrote, as text that cannot steer the terminal it is shown on.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace gossip {

/// At most `columns` characters of `text`, the last of them an ellipsis if there are more. Control characters, marks of
/// direction, line separators and bytes that are no UTF-8 become question marks.
std::string shown(std::string_view text, std::size_t columns);

}  // namespace gossip
