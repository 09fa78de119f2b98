#include "net/advances.hpp"

#include <asio/defer.hpp>
#include <utility>

#include "net/connection.hpp"

namespace axl::net {

Advances::Advances(asio::io_context& context) : asio::execution_context::service{context}, context_{context} {}

void Advances::shutdown() noexcept {
  waiting_.clear();
  running_.clear();
}

void Advances::add(std::shared_ptr<Connection> connection) {
  waiting_.push_back(std::move(connection));
  if (held_ == 0) visit_later();
}

void Advances::visit_later() {
  if (std::exchange(posted_, true)) return;
  asio::defer(context_, [this] {
    posted_ = false;
    run();
  });
}

void Advances::run() {
  if (waiting_.empty()) return;
  ++held_;
  auto running = std::exchange(running_, {});  // its memory serves again
  running.swap(waiting_);
  for (auto& connection : running) std::exchange(connection, nullptr)->advance_as_scheduled();
  running.clear();
  running_ = std::move(running);
  --held_;
  if (!waiting_.empty()) visit_later();
}

}  // namespace axl::net
