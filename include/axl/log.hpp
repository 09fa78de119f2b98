// The library does not print: it calls the hook that its owner gave it.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace axl {

enum class LogLevel : std::uint8_t { debug, info, warning, error, off };

/// Level, area ("link", "overlay", ...), text. Called on the node's loop; holds neither keys' secrets nor payloads. The
/// text is one line, and nothing that peers and programs wrote in it can steer a terminal: control characters, line
/// separators, marks of direction and bytes that are no UTF-8 are written as `\xNN`.
using LogHook = std::function<void(LogLevel level, std::string_view area, std::string_view text)>;

}  // namespace axl
