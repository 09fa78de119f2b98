#include "tcpip/stack.hpp"

#include <utility>

#include "tcpip/core.hpp"

namespace axl::tcpip {

Stack::Stack(const Config& config, const PublicKey& own_key, Rng& rng, StackHost& host, Logger logger, Time now)
    : core_{std::make_unique<Core>(config, own_key, rng, host, std::move(logger), now)} {}

Stack::~Stack() = default;

void Stack::input(const PublicKey& source, Buffer packet, Time now) { core_->input(source, std::move(packet), now); }
void Stack::on_tick(Time now) { core_->on_tick(now); }
void Stack::on_output_ready(Time now) { core_->on_output_ready(now); }
void Stack::on_session_up(const PublicKey& key, Time now) { core_->on_session_up(key, now); }
void Stack::on_connect_failed(const PublicKey& key, const Error& error) { core_->on_connect_failed(key, error); }
std::optional<Time> Stack::next_tick() const { return core_->next_tick(); }
void Stack::run_handlers() { core_->run_handlers(); }
void Stack::run_handlers(Time now) { core_->run_handlers(now); }

Result<void> Stack::listen(std::uint16_t port, AcceptHandler handler) {
  return core_->listen(port, std::move(handler));
}
void Stack::stop_listening(std::uint16_t port) { core_->stop_listening(port); }

void Stack::connect(const PublicKey& key, std::uint16_t port, Duration timeout, ConnectHandler handler) {
  core_->connect(key, port, timeout, std::move(handler));
}

Stack::Stats Stack::stats() const { return core_->stats(); }

}  // namespace axl::tcpip
