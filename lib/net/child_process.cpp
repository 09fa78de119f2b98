#include "net/child_process.hpp"

#include <signal.h>

#include <utility>

#include "net/spawn.hpp"
#include "net/steady_clock.hpp"
#include "net/timer.hpp"

namespace axl::net {

namespace {

class ChildProcess final : public Process {
 public:
  ChildProcess(asio::io_context& context, pid_t pid, std::shared_ptr<ExitWatch> watch)
      : pid_{pid}, watch_{std::move(watch)}, timer_{context, SteadyClock{}, [this] { press(); }} {}

  ~ChildProcess() override { watch_->stop(); }

  Result<void> take_pipes(asio::io_context& context, Spawned spawned) {
    auto stdio = PipeStream::adopt(context, spawned.output.release(), spawned.input.release());
    if (!stdio) return stdio.error();
    stdio_ = *std::move(stdio);
    auto errors = LineReader::adopt(context, spawned.errors.release());
    if (!errors) return errors.error();
    errors_ = *std::move(errors);
    // Read from the start, so that a program nobody listens to does not block on it.
    errors_->on_line([](std::string_view) {});
    return {};
  }

  [[nodiscard]] Stream& stdio() override { return *stdio_; }
  void on_error_line(std::function<void(std::string_view line)> handler) override {
    errors_->on_line(std::move(handler));
  }
  void on_end(std::function<void(ProcessEnd end)> handler) override { watch_->on_end(std::move(handler)); }
  [[nodiscard]] int pid() const override { return pid_; }

  void terminate(Duration grace) override {
    if (terminating_ || watch_->ended()) return;
    terminating_ = true;
    grace_ = grace;
    stdio_->shutdown_send();
    timer_.arm(SteadyClock{}.now() + grace_);
  }

 private:
  void press() {
    if (watch_->ended()) return;
    if (std::exchange(asked_, true)) return watch_->signal(SIGKILL);
    watch_->signal(SIGTERM);
    timer_.arm(SteadyClock{}.now() + grace_);
  }

  const pid_t pid_;
  std::shared_ptr<ExitWatch> watch_;
  Timer timer_;
  std::unique_ptr<PipeStream> stdio_;
  std::unique_ptr<LineReader> errors_;
  Duration grace_{};
  bool terminating_ = false;
  bool asked_ = false;  // SIGTERM was sent
};

}  // namespace

Result<std::unique_ptr<Process>> start_process(asio::io_context& context, const ProcessOptions& options) {
  auto spawned = spawn(options);
  if (!spawned) return spawned.error();
  // From here on the watch sees to its end, whatever happens.
  auto watch = std::make_shared<ExitWatch>(context, spawned->pid);
  watch->start();
  auto process = std::make_unique<ChildProcess>(context, spawned->pid, std::move(watch));
  if (auto taken = process->take_pipes(context, *std::move(spawned)); !taken) {
    return Error{Errc::io, "start " + options.command.front() + ": " + taken.error().text()};
  }
  return std::unique_ptr<Process>{std::move(process)};
}

}  // namespace axl::net
