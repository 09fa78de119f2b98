// The life of one socket stream: when to read and write, what to tell the handler, how it ends.
//
// Everything happens in `advance`: it receives, hands up, sends, and waits for the socket where that is needed. The
// methods of a Stream only note what is wanted and see to it that an advance follows later in the same turn of the
// loop, so no handler is called from within them and small writes of one turn leave together.
//
// Bulk may go through TLS and the socket on another thread, a batch at a time (BulkJob). While one is under way the
// loop leaves the transport alone and neither reads from the socket nor writes to it; what is to be done then follows
// when the batch has come back.
//
// Shared by its owner (a SocketStream), by the waits under way and by the batch; the owner's end closes the socket, and
// the rest goes when the last of them has come back. Lives on one loop.
#pragma once

#include <axl/time.hpp>
#include <functional>
#include <limits>
#include <memory>
#include <optional>

#include "core/stream.hpp"
#include "net/advances.hpp"
#include "net/asio_types.hpp"
#include "net/buffer_queue.hpp"
#include "net/bulk_job.hpp"
#include "net/drain_meter.hpp"
#include "net/timer.hpp"
#include "net/tls_worker.hpp"
#include "net/transport.hpp"

namespace axl::net {

/// Whether bulk goes through TLS on a thread beside the loop's.
enum class BulkElsewhere : std::uint8_t { never, with_spare_core, always };

struct StreamOptions {
  std::size_t high_mark = 256 * 1024;
  std::size_t low_mark = 128 * 1024;
  /// When so many bytes wait they are sent at once, not at the end of the turn: who relays can tell from unsent()
  /// whether the other end still takes what it gets.
  std::size_t send_at_once = std::numeric_limits<std::size_t>::max();
  /// Bytes that the kernel may hold without having sent them (TCP_NOTSENT_LOWAT); empty for as many as it likes.
  std::optional<int> kernel_unsent = {};
  /// Not zero: on a slow path both marks and kernel_unsent are less, as much as leaves in that time.
  Duration queue_time{};
  BulkElsewhere bulk_elsewhere = BulkElsewhere::never;
  /// close(): how long nothing may move before what is queued counts as undeliverable.
  Duration stall_limit{std::chrono::seconds{30}};
  /// close(): how long to wait for the other end to close too, once everything has been sent.
  Duration linger{std::chrono::seconds{3}};

  /// For a program on this machine, or a server, that may read slowly: little waits for it.
  [[nodiscard]] static StreamOptions for_relaying() {
    StreamOptions options;
    options.send_at_once = 16 * 1024;
    options.kernel_unsent = 128 * 1024;
    return options;
  }
  /// For a link: what waits in the kernel is passed by nobody, so it should not be much.
  [[nodiscard]] static StreamOptions for_links() {
    StreamOptions options;
    options.high_mark = 128 * 1024;
    options.low_mark = 64 * 1024;
    options.kernel_unsent = 128 * 1024;
    options.queue_time = std::chrono::milliseconds{4};
    options.send_at_once = 48 * 1024;  // three large packets: the next node begins with them while the turn goes on
    return options;
  }
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Socket socket, std::unique_ptr<Transport> transport, const StreamOptions& options);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// Opens the transport; called once, right after construction. Past `deadline` an unopened connection fails.
  void start(std::optional<Time> deadline, std::function<void()> on_open);

  void set_handler(StreamHandler* handler);
  void write(Buffer data);
  /// Sends now what is queued instead of at the end of the turn.
  void flush();
  [[nodiscard]] std::size_t unsent() const noexcept;
  [[nodiscard]] std::size_t high_mark() const noexcept { return high_mark_; }
  [[nodiscard]] const StreamCounters& counters() const noexcept {
    return busy() ? job_->counters : transport_->counters();
  }
  [[nodiscard]] bool opened() const noexcept { return opened_; }
  void pause_reading();
  void resume_reading();
  void shutdown_send();
  void close();
  void abort();
  /// The owner is gone: closes, and calls nobody any more.
  void detach() noexcept;
  /// For Advances.
  void advance_as_scheduled();
  /// For TlsWorker, on its thread.
  void do_batch() { job_->run(*transport_, socket_); }
  /// And on the loop, some time later.
  void batch_done();

 private:
  void schedule();
  void advance();
  void step();
  void open_transport();
  void receive_some();
  [[nodiscard]] std::size_t receive_one();
  void hand_up(Buffer data, std::size_t size);
  void transmit_some();
  void after_transmit(Io result);
  void measure_drain();
  void set_marks(std::size_t high) noexcept;
  void after_send_failure();
  void finish_sending();
  void deliver_levels();
  void report_closed();
  void wait_as_needed();
  void wait_readable();
  void wait_writable();
  void arm_close_timer();
  void on_timer();
  void fail(Error error);
  void finish();
  void shut(bool reset) noexcept;
  void close_socket() noexcept;
  [[nodiscard]] bool wants_data() const noexcept;
  [[nodiscard]] std::size_t unacknowledged() noexcept;

  // Bulk on another thread: connection_bulk.cpp.
  [[nodiscard]] bool busy() const noexcept { return job_ && job_->under_way; }
  [[nodiscard]] bool has_helper();
  [[nodiscard]] bool sends_elsewhere();
  [[nodiscard]] bool receives_elsewhere();
  [[nodiscard]] std::size_t enough_to_send() const noexcept;
  void set_helped(bool helped);
  [[nodiscard]] bool hand_over();
  void take_back();
  void take_back_early();
  void take_back_received();
  void go_on_reading();
  bool hand_up_arrived();

  asio::io_context& context_;
  Advances& advances_;
  Socket socket_;
  const std::unique_ptr<Transport> transport_;
  const StreamOptions options_;
  std::size_t high_mark_;  // for the path as it is, and for who sends
  std::size_t low_mark_;
  std::optional<DrainMeter> meter_;
  StreamHandler* handler_ = nullptr;
  std::function<void()> on_open_;
  std::unique_ptr<Timer> timer_;  // for opening, later for closing
  BufferQueue queue_;
  TlsWorker* worker_ = nullptr;   // for bulk; null: never
  std::unique_ptr<BulkJob> job_;  // made by the first bulk
  std::optional<Error> error_;    // what on_closed will say
  std::size_t read_size_;         // of the next Buffer to receive into
  std::uint64_t progress_ = 0;    // at the last look of the close timer

  bool opened_ = false;
  bool paused_ = false;
  bool peer_ended_ = false;  // the other end's last byte has been received
  bool end_wanted_ = false;  // shutdown_send() or close() was called
  bool end_marked_ = false;  // the transport's end mark is in its backlog or beyond
  bool end_sent_ = false;    // the kernel has all of it
  bool closing_ = false;     // close() was called: received bytes are discarded
  bool closed_ = false;      // the socket is closed, or will be when the batch has come back
  bool resets_ = false;      // with a TCP reset
  bool helped_ = false;      // what was sent last went on another thread
  bool reported_ = false;    // on_closed was called
  bool can_read_ = true;     // until the socket says otherwise
  bool can_write_ = true;
  bool reading_ = false;  // a wait is under way
  bool writing_ = false;
  bool scheduled_ = false;  // an advance is in the loop's queue
  bool advancing_ = false;
  bool again_ = false;      // asked for while advancing
  bool more_ = false;       // one turn was not enough
  bool above_low_ = false;  // on_writable is owed
  bool undrained_ = false;  // on_drained is owed
};

}  // namespace axl::net
