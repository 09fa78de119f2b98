// Durations as peer URIs write them: "90s", "1m30s", "1.5h".
#pragma once

#include <axl/time.hpp>
#include <optional>
#include <string_view>

namespace axl::link {

/// One or more decimal numbers (a fraction allowed) with the unit ns, us, µs, ms, s, m or h; or "0". An optional sign
/// in front. Empty for anything else and for what 64 bits of nanoseconds cannot hold.
[[nodiscard]] std::optional<Duration> parse_go_duration(std::string_view text) noexcept;

}  // namespace axl::link
