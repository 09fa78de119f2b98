// The one loop of a node: its own io_context and thread, its own io_context and no thread, or an embedder's.
#pragma once

#include <asio/io_context.hpp>
#include <atomic>
#include <axl/config.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "core/executor.hpp"

namespace axl::node {

class Loop final : public Executor {
 public:
  /// `external` is null for a loop of its own.
  Loop(RunMode mode, asio::io_context* external);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  [[nodiscard]] asio::io_context& context() noexcept { return *context_; }

  void start();
  /// After this no task runs. Waits for the thread, if there is one.
  void stop();
  /// RunMode::poll only.
  std::size_t poll(Duration budget, Duration wait);

  void post(std::function<void()> task) override;
  [[nodiscard]] bool on_loop() const noexcept override;
  [[nodiscard]] Result<void> may_block() const override;

  /// Runs `task` on the loop and waits for it; at once when on it already. With nobody turning the loop (poll mode, not
  /// started, or stopped) it runs here, and whoever begins to turn it waits for that.
  void run_and_wait(const std::function<void()>& task);

 private:
  void run_thread();
  /// The turn, for whoever polls: after those who wait for it.
  [[nodiscard]] std::unique_lock<std::recursive_mutex> take_turn();
  /// The turn, for a call from elsewhere: a poll() that waits for something to do ends.
  [[nodiscard]] std::unique_lock<std::recursive_mutex> interrupt();

  const RunMode mode_;
  std::unique_ptr<asio::io_context> own_;
  asio::io_context* context_;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  std::thread thread_;
  std::atomic<bool> threaded_{false};  // thread_ is there
  std::atomic<bool> ended_{false};     // stop() has been called
  // Of an embedder's loop: which thread turns it, none until it has turned. The loop's first task of ours says so, and
  // nothing else of ours runs there before. (Asio could be asked, but knows only whether the loop runs, not who
  // turns it next.)
  struct Turning {
    std::recursive_mutex turn;  // held by whoever runs things without a thread of ours
    std::atomic<std::thread::id> thread{};
  };
  const std::shared_ptr<Turning> turning_ = std::make_shared<Turning>();
  std::atomic<std::thread::id> guest_{};  // who holds the turn
  std::mutex next_;                       // held by whoever is the next to have it
};

}  // namespace axl::node
