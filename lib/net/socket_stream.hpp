// The Stream over a kernel socket; TcpStream and TlsStream say what the bytes look like on the wire.
//
// How the contract of Stream is met here:
// - Small writes of one turn of the loop leave in one system call, at the end of that turn, or with flush().
// - A stream without data holds no buffers. Reading asks the kernel only after it has said that something is there.
// - close() ends our direction after what is queued and waits for the other end to do the same; meanwhile received
//   bytes are discarded. As long as bytes move it does not give up.
// - abort() is a TCP reset. on_closed follows on the loop, with Errc::closed.
// - When sending fails, what the other end sent before is handed up first, then on_closed.
// - Once both directions have ended, by whoever's wish, on_closed(nullptr) follows.
//
// Lives on one loop, which must outlive it.
#pragma once

#include <memory>

#include "core/stream.hpp"
#include "net/connection.hpp"

namespace axl::net {

class SocketStream : public Stream {
 public:
  ~SocketStream() override;

  void set_handler(StreamHandler* handler) final;
  void write(Buffer data) final;
  [[nodiscard]] std::size_t unsent() const final;
  [[nodiscard]] std::size_t high_mark() const final;
  void pause_reading() final;
  void resume_reading() final;
  void shutdown_send() final;
  void close() final;
  void abort() final;

  /// Sends what is queued now instead of at the end of the turn.
  void flush();
  [[nodiscard]] const StreamCounters& counters() const noexcept;

 protected:
  SocketStream(Socket socket, std::unique_ptr<Transport> transport, const StreamOptions& options);
  [[nodiscard]] Connection& connection() const noexcept { return *connection_; }

 private:
  std::shared_ptr<Connection> connection_;
};

}  // namespace axl::net
