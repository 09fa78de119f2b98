// The machine that a node runs on: connections to servers on it or elsewhere, and processes.
//
// Lives on the loop of its io_context, which must outlive it. Destroying it gives up what is being dialled, without a
// call; streams and processes that were handed out live on.
#pragma once

#include <asio/io_context.hpp>
#include <memory>
#include <string>

#include "core/system.hpp"

namespace axl::net {

class MachineSystem final : public System {
 public:
  struct Options {
    std::string authorities;  ///< PEM file of the certificates that TLS trusts; empty: the system's
  };

  explicit MachineSystem(asio::io_context& context);
  MachineSystem(asio::io_context& context, Options options);
  MachineSystem(const MachineSystem&) = delete;
  MachineSystem& operator=(const MachineSystem&) = delete;
  ~MachineSystem();

  void dial(const Place& place, Duration timeout, DialHandler handler) override;
  [[nodiscard]] Result<std::unique_ptr<Process>> start(const ProcessOptions& options) override;
  [[nodiscard]] std::optional<ProcessUsage> usage() const override;

  /// Connections being dialled.
  [[nodiscard]] std::size_t dialling() const noexcept;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace axl::net
