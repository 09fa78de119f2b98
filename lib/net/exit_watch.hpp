// Notices that a process of ours has ended, ends the rest of its group, and reaps it.
//
// A library has no business with SIGCHLD: the kernel's process descriptor says when the process has ended, and where
// there is none it is asked every 50 ms. The group is killed before its leader is reaped, because only until then is
// its number surely not another's.
//
// Once stop() was called nobody is told any more, but the process is still reaped: by the loop, or, when the loop ends
// first, by waiting for it (it has been killed by then).
#pragma once

#include <sys/types.h>

#include <asio/io_context.hpp>
#include <asio/posix/basic_stream_descriptor.hpp>
#include <functional>
#include <memory>

#include "core/system.hpp"
#include "net/asio_types.hpp"

namespace axl::net {

class ExitWatch final : public std::enable_shared_from_this<ExitWatch> {
 public:
  using EndHandler = std::function<void(ProcessEnd end)>;

  /// `poll`: ask instead of being told, as where the system has no process descriptors.
  ExitWatch(asio::io_context& context, pid_t pid, bool poll = false);
  ExitWatch(const ExitWatch&) = delete;
  ExitWatch& operator=(const ExitWatch&) = delete;
  ~ExitWatch();

  void start();
  /// Called once, from the loop.
  void on_end(EndHandler handler);
  /// To the whole group; nothing once the process has ended.
  void signal(int number) noexcept;
  /// Kills the group; nobody is told.
  void stop() noexcept;
  [[nodiscard]] bool ended() const noexcept { return reaped_; }

 private:
  void wait();
  void look();
  void reap() noexcept;
  void tell();

  asio::io_context& context_;
  const pid_t pid_;
  asio::posix::basic_stream_descriptor<Executor> descriptor_;  // not open: poll
  SteadyTimer timer_;
  EndHandler handler_;
  ProcessEnd end_;
  bool poll_;
  bool reaped_ = false;
  bool told_ = false;
  bool stopped_ = false;
};

}  // namespace axl::net
