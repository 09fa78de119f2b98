// Memory for the bodies of messages: uninitialised, and shared by all who look at them.
#pragma once

#include <cstddef>
#include <memory>

namespace axl {

struct Room {
  std::shared_ptr<std::byte[]> bytes;
  bool resident = false;  ///< all of it is in memory, as far as is known: touch_room() has nothing to do
};

/// Room for `size` bytes. Megabytes come as large pages where the system has them: taking 16 MiB one small page after the
/// other costs as much as encrypting them. Of rooms between 256 KiB and 2 MiB a thread keeps the one it freed last, for
/// the next message of that size.
[[nodiscard]] Room make_room(std::size_t size);

/// Has the system back this part of a room now, in one call instead of one fault for each page: it will be filled at
/// once.
void touch_room(std::byte* first, std::size_t size) noexcept;

}  // namespace axl
