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
/// the next message of that size; larger ones are kept while there is a RoomKeeper.
[[nodiscard]] Room make_room(std::size_t size);

/// Has the system back this part of a room now, in one call instead of one fault for each page: it will be filled at
/// once.
void touch_room(std::byte* first, std::size_t size) noexcept;

/// Has freed rooms above 2 MiB of this process kept for the next messages: to take one anew means that the system
/// clears it all, and that takes a fifth of the time to send it. At most eight are kept, of 16 MiB or less, and none
/// that nobody took for a second or two.
///
/// On any thread.
class RoomKeeper {
 public:
  RoomKeeper() noexcept;
  RoomKeeper(const RoomKeeper&) = delete;
  RoomKeeper& operator=(const RoomKeeper&) = delete;
  ~RoomKeeper();  ///< of the last: frees what is kept

  /// A large room was made, and nobody has asked here since.
  [[nodiscard]] static bool wanted() noexcept;
  /// To be called once a second: frees what was kept and not taken since the last call. False: nothing is kept now, and
  /// nothing was wanted since.
  [[nodiscard]] bool tidy() noexcept;
};

}  // namespace axl
