#include "net/bulk_job.hpp"

#include <algorithm>

namespace axl::net {

void BulkJob::run(Transport& transport, Socket& socket) {
  if (sends) sent = transport.transmit(socket, sending);
  if (receives && sent != Io::failed) {
    for (auto& piece : receiving) {
      const auto got = transport.receive(socket, piece.data.mutable_span());
      received = got.status;
      piece.size = got.size;
      if (got.status != Io::progress || !piece.filled()) break;  // the end shows again on the loop
    }
  }
  done.store(true, std::memory_order_release);
}

bool BulkJob::filled() const noexcept {
  return received == Io::progress && !receiving.empty() &&
         std::ranges::all_of(receiving, [](const Piece& piece) { return piece.filled(); });
}

}  // namespace axl::net
