// One batch of a connection's bytes on its way through the transport, on the thread of a TlsWorker: first what is to be
// sent, then what has come.
//
// The loop fills it in and gets it back. In between, from hand-over until `done`, everything here but the loop's own
// part is the worker's, and so are the transport and what goes through the socket. Buffers are made and freed on the
// loop.
#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

#include "core/buffer.hpp"
#include "net/asio_types.hpp"
#include "net/buffer_queue.hpp"
#include "net/transport.hpp"

namespace axl::net {

struct BulkJob {
  struct Piece {
    Buffer data;
    std::size_t size = 0;  ///< bytes of it that have been received
    /// As full as it gets: the record that would come next may be too large for the rest.
    [[nodiscard]] bool filled() const noexcept { return size > data.size() - data.size() / 8; }
  };

  /// On the worker's thread.
  void run(Transport& transport, Socket& socket);
  /// Every piece was filled: more is there.
  [[nodiscard]] bool filled() const noexcept;

  BufferQueue sending{BufferQueue::KeepUsed{}};
  std::vector<Piece> receiving;
  bool sends = false;
  bool receives = false;
  Io sent = Io::end;
  Io received = Io::would_block;
  std::atomic<bool> done{false};

  // The loop's.
  bool under_way = false;
  bool reads_on = false;       // what is to be read is worth a batch
  std::size_t unsent = 0;      // not in the kernel when it was handed over
  StreamCounters counters;     // as they were then
  std::vector<Piece> arrived;  // received, and not yet handed up
};

}  // namespace axl::net
