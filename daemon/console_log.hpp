// The daemon's log lines: what people grep for on stdout, what is wrong on stderr.
//
// Source: bridge, section 1.3.
#pragma once

#include <axl/log.hpp>
#include <string_view>

namespace axl::daemon {

/// `[node] text` on stdout for info; date, time and text on stderr for the rest, and for what the bridge says of its
/// connections. With `compat` off, every line has time, level and area. Control characters, line separators, marks of
/// direction and bytes that are no UTF-8 are written as `\xNN`.
[[nodiscard]] LogHook make_console_log(bool compat);

/// One line on stdout, at once.
void say(std::string_view line);
/// One line on stderr, at once.
void complain(std::string_view line);

}  // namespace axl::daemon
