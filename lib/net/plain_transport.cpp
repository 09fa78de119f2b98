#include <array>

#include "net/transport.hpp"

namespace axl::net {

namespace {

constexpr std::size_t kPiecesPerCall = 64;  // as many as Asio passes on
constexpr std::size_t kBytesPerCall = 256 * 1024;
constexpr std::size_t kBytesPerTurn = 1024 * 1024;

class PlainTransport final : public Transport {
 public:
  Io open(Socket& /*socket*/) override { return Io::progress; }

  Received receive(Socket& socket, MutableByteSpan into) override {
    std::error_code failure;
    ++counters_.receive_calls;
    const auto size = socket.read_some(asio::buffer(into.data(), into.size()), failure);
    if (!failure) {
      counters_.received_bytes += size;
      // A short read has emptied the socket: asking again would only cost a call.
      return {size == into.size() ? Io::progress : Io::would_block, size};
    }
    if (failure == asio::error::eof) return {Io::end, 0};
    if (failure == asio::error::would_block || failure == asio::error::interrupted) return {Io::would_block, 0};
    error_ = system_failure(failure, "receive");
    return {Io::failed, 0};
  }

  Io transmit(Socket& socket, BufferQueue& queue) override {
    std::size_t moved = 0;
    while (!queue.empty()) {
      if (moved >= kBytesPerTurn) return Io::progress;
      std::array<asio::const_buffer, kPiecesPerCall> pieces;
      const auto count = queue.gather(pieces, kBytesPerCall);
      std::error_code failure;
      ++counters_.send_calls;
      const auto size = socket.write_some(std::span{pieces.data(), count}, failure);
      if (failure == asio::error::would_block) return Io::would_block;
      if (failure == asio::error::interrupted) continue;
      if (failure) {
        error_ = system_failure(failure, "send");
        return Io::failed;
      }
      queue.consume(size);
      counters_.sent_bytes += size;
      counters_.wire_bytes += size;
      moved += size;
    }
    return Io::end;
  }

  void mark_end() override {}
  [[nodiscard]] std::size_t backlog() const noexcept override { return 0; }
};

}  // namespace

std::unique_ptr<Transport> make_plain_transport() { return std::make_unique<PlainTransport>(); }

}  // namespace axl::net
