#include "tcpip/connection.hpp"

#include <utility>

#include "tcpip/flow.hpp"

namespace axl::tcpip {

namespace {

class FlowConnection final : public Connection {
 public:
  explicit FlowConnection(std::shared_ptr<Flow> flow) : flow_{std::move(flow)} {}
  ~FlowConnection() override { flow_->let_go(); }
  FlowConnection(const FlowConnection&) = delete;
  FlowConnection& operator=(const FlowConnection&) = delete;

  void set_handler(StreamHandler* handler) override { flow_->set_handler(handler); }
  void write(Buffer data) override { flow_->write(std::move(data)); }
  [[nodiscard]] std::size_t unsent() const override { return flow_->unsent(); }
  [[nodiscard]] bool takes_writes() const override { return flow_->takes_writes(); }
  [[nodiscard]] std::optional<std::uint64_t> acknowledged() const override { return flow_->acknowledged(); }
  [[nodiscard]] std::optional<std::uint64_t> begun() const override { return flow_->begun(); }
  [[nodiscard]] std::size_t high_mark() const override { return flow_->high_mark(); }
  [[nodiscard]] std::size_t enough() const override { return flow_->enough(); }
  void pause_reading() override { flow_->pause_reading(); }
  void resume_reading() override { flow_->resume_reading(); }
  void expect(std::size_t bytes) override { flow_->expect(bytes); }
  void shutdown_send() override { flow_->shutdown_send(); }
  void close() override { flow_->close(); }
  void abort() override { flow_->abort(); }
  [[nodiscard]] const PublicKey& peer() const override { return flow_->peer(); }
  [[nodiscard]] std::uint16_t local_port() const override { return flow_->local_port(); }
  [[nodiscard]] std::uint16_t remote_port() const override { return flow_->remote_port(); }

 private:
  std::shared_ptr<Flow> flow_;
};

}  // namespace

std::unique_ptr<Connection> make_connection(std::shared_ptr<Flow> flow) {
  return std::make_unique<FlowConnection>(std::move(flow));
}

}  // namespace axl::tcpip
