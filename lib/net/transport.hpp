// How a connection's bytes get through its socket: as they are, or inside TLS records.
//
// A transport makes system calls and never waits; Connection decides when to call it. No handler is ever called from in
// here.
#pragma once

#include <axl/error.hpp>
#include <cstdint>
#include <memory>

#include "core/buffer.hpp"
#include "net/asio_types.hpp"
#include "net/buffer_queue.hpp"

namespace axl::net {

/// What a stream has moved so far.
struct StreamCounters {
  std::uint64_t received_bytes = 0;  ///< handed up; above TLS
  std::uint64_t sent_bytes = 0;      ///< taken from the queue; above TLS
  std::uint64_t wire_bytes = 0;      ///< given to the kernel
  std::uint64_t receive_calls = 0;   ///< system calls
  std::uint64_t send_calls = 0;      ///< system calls
};

enum class Io : std::uint8_t {
  progress,     ///< something was done, and there may be more
  would_block,  ///< the socket is not ready
  end,          ///< receiving: the other end will send no more; sending: the kernel has it all
  failed,       ///< error() says why
};

class Transport {
 public:
  struct Received {
    Io status = Io::failed;
    std::size_t size = 0;  ///< bytes put into the buffer; zero with `end` and `failed`
  };

  Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  virtual ~Transport() = default;

  /// Gets both ends ready: `progress` once bytes can be carried, `would_block` while the other end has to speak first.
  virtual Io open(Socket& socket) = 0;
  virtual Received receive(Socket& socket, MutableByteSpan into) = 0;
  /// Moves from the queue into the kernel; `end` when the queue and backlog() are empty.
  virtual Io transmit(Socket& socket, BufferQueue& queue) = 0;
  /// Puts whatever says "no more from here" behind what was transmitted.
  virtual void mark_end() = 0;
  /// Moving bytes through it takes time of its own, which may be spent on another thread once it is open.
  [[nodiscard]] virtual bool is_costly() const noexcept { return false; }
  /// Bytes taken from the queue that the kernel does not have yet.
  [[nodiscard]] virtual std::size_t backlog() const noexcept = 0;

  [[nodiscard]] const Error& error() const noexcept { return error_; }
  [[nodiscard]] const StreamCounters& counters() const noexcept { return counters_; }

 protected:
  Error error_{Errc::internal, "no error"};
  StreamCounters counters_;
};

/// Bytes as they are, many pieces per system call.
[[nodiscard]] std::unique_ptr<Transport> make_plain_transport();

}  // namespace axl::net
