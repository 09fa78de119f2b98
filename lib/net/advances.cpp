#include "net/advances.hpp"

#include <asio/defer.hpp>
#include <iterator>
#include <utility>

#include "net/connection.hpp"

namespace axl::net {

namespace {
constexpr int kRounds = 8;  // other sockets want their turn too
}

Advances::Advances(asio::io_context& context) : asio::execution_context::service{context}, context_{context} {}

void Advances::shutdown() noexcept {
  waiting_.clear();
  running_.clear();
  later_.clear();
  visitors_.clear();
  visiting_.clear();
}

void Advances::add(std::shared_ptr<Connection> connection) {
  waiting_.push_back(std::move(connection));
  if (held_ == 0) visit_later();
}

void Advances::add_later(std::shared_ptr<Connection> connection) {
  later_.push_back(std::move(connection));
  visit_later();
}

void Advances::add(std::shared_ptr<Visitor> visitor) {
  visitors_.push_back(std::move(visitor));
  if (held_ == 0) visit_later();
}

void Advances::visit_later() {
  if (std::exchange(posted_, true)) return;
  asio::defer(context_, [this] {
    posted_ = false;
    waiting_.insert(waiting_.end(), std::make_move_iterator(later_.begin()), std::make_move_iterator(later_.end()));
    later_.clear();
    run();
  });
}

void Advances::run() {
  if (ending_ || (waiting_.empty() && visitors_.empty())) return;  // ending_: a handler turns the loop
  ++held_;
  ending_ = true;
  for (int round = 0; round < kRounds && !(waiting_.empty() && visitors_.empty()); ++round) run_once();
  ending_ = false;
  --held_;
  if (!waiting_.empty() || !visitors_.empty()) visit_later();
}

void Advances::run_once() {
  visiting_.swap(visitors_);
  for (auto& visitor : visiting_) std::exchange(visitor, nullptr)->visit();
  visiting_.clear();
  running_.swap(waiting_);
  for (auto& connection : running_) std::exchange(connection, nullptr)->advance_as_scheduled();
  running_.clear();
}

}  // namespace axl::net
