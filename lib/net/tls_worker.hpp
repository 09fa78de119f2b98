// A second thread of a loop, which takes bulk of connections through TLS and their sockets while the loop goes on.
//
// Does one batch of one connection after the other, in the order in which they are handed over. There is no thread
// before the first, and it sleeps while there is nothing to do.
//
// One for each io_context, which owns it and ends it. On the loop, but for what says otherwise.
#pragma once

#include <asio/execution_context.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <axl/time.hpp>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "net/asio_types.hpp"
#include "net/spare_core.hpp"

namespace axl::net {

class Connection;

class TlsWorker final : public asio::execution_context::service {
 public:
  using key_type = TlsWorker;
  static inline asio::execution_context::id id;

  explicit TlsWorker(asio::io_context& context);
  ~TlsWorker() override;

  /// A core of this machine has time for it, and the loop has not. For who has bulk to hand over: the answer is about
  /// now, and asking it is what keeps it so.
  [[nodiscard]] bool has_core();
  /// Has the connection's batch done on the thread, then calls it on the loop. False: there is no thread.
  [[nodiscard]] bool hand_over(std::shared_ptr<Connection> connection);
  /// So far.
  [[nodiscard]] std::uint64_t batches() const noexcept { return batches_; }

 private:
  struct Batch {
    std::shared_ptr<Connection> connection;
    asio::executor_work_guard<Executor> work;  // the loop has something to wait for
  };

  void shutdown() noexcept override;
  [[nodiscard]] bool start();
  void run();  // on the thread
  [[nodiscard]] Duration thread_time() noexcept;

  asio::io_context& context_;
  SpareCore spare_;
  std::uint64_t batches_ = 0;
  std::thread thread_;
  bool failed_ = false;  // the system gives us no thread

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Batch> waiting_;  // under the mutex, as is
  bool ending_ = false;
};

}  // namespace axl::net
