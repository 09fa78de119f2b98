// How much should wait for a socket, by how fast it takes bytes: enough that it never runs dry between two looks of the
// loop, and not so much that what comes behind has to wait for long.
#pragma once

#include <axl/time.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace axl::net {

class DrainMeter {
 public:
  /// Between `least` and `most` bytes, as many as leave within `time`. `most` until something is known.
  DrainMeter(Duration time, std::size_t least, std::size_t most) noexcept
      : time_{time}, least_{least}, most_{most}, room_{most} {}

  /// The socket is full, after so many bytes since ever. True: room() has changed by a quarter or more.
  bool on_full(Time now, std::uint64_t taken) noexcept;
  /// The socket has taken all there was: what follows says nothing about how fast it could have been.
  void on_empty() noexcept { since_.reset(); }
  /// Another bound, for what is known already too.
  void set_most(std::size_t most) noexcept;
  [[nodiscard]] std::size_t room() const noexcept { return room_; }

 private:
  [[nodiscard]] std::size_t room_for_rate() const noexcept;

  struct Mark {
    Time at;
    std::uint64_t taken;
  };

  Duration time_;
  std::size_t least_;
  std::size_t most_;
  std::size_t room_;
  double rate_ = 0;            // bytes/s, smoothed; 0: unknown
  std::optional<Mark> since_;  // the socket has had bytes to send ever since
};

}  // namespace axl::net
