// What the system's books say of its cores and threads.
#pragma once

#include <axl/time.hpp>
#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

namespace axl::net {

struct UsableCores {
  std::size_t count = 0;
  Duration idle{};  ///< since the machine was started, all of them together
};

/// The cores that this process may run on; empty where the system does not tell.
[[nodiscard]] std::optional<UsableCores> usable_cores();

/// The same from the text of /proc/stat, for the cores that `usable` knows; one tick of its clock is `tick`.
[[nodiscard]] std::optional<UsableCores> usable_cores(std::string_view stat, const std::function<bool(int)>& usable,
                                                      Duration tick);

/// Processor time of the thread that asks.
[[nodiscard]] Duration own_thread_time() noexcept;

}  // namespace axl::net
