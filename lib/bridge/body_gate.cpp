#include "bridge/body_gate.hpp"

namespace axl::bridge {

BodyGate::Ticket& BodyGate::Ticket::operator=(Ticket&& other) noexcept {
  if (this != &other) {
    release();
    gate_ = std::exchange(other.gate_, nullptr);
    id_ = other.id_;
    peer_ = other.peer_;
    bytes_ = other.bytes_;
  }
  return *this;
}

bool BodyGate::Ticket::grow(std::size_t bytes) const { return gate_ == nullptr || gate_->budget_.grow(id_, bytes); }

void BodyGate::Ticket::release() noexcept {
  if (gate_ != nullptr) std::exchange(gate_, nullptr)->end(*this);
}

BodyGate::Ticket BodyGate::begin(const PublicKey& peer, std::function<void()> ready) {
  const auto id = budget_.begin(peer);
  ready_.emplace_hint(ready_.end(), id, std::make_shared<const std::function<void()>>(std::move(ready)));
  return Ticket{*this, id};
}

void BodyGate::end(const Ticket& ticket) noexcept {
  if (ticket.id_ == router::BodyId{}) {
    budget_.let_go(ticket.peer_, ticket.bytes_);
  } else {
    budget_.end(ticket.id_);
    ready_.erase(ticket.id_);
  }
  if (posted_ || !budget_.has_ready()) return;
  posted_ = true;
  executor_.post([this, alive = std::weak_ptr<bool>{alive_}] {
    if (alive.lock()) run_ready();
  });
}

void BodyGate::run_ready() {
  posted_ = false;
  const std::weak_ptr<bool> alive{alive_};
  while (const auto id = budget_.poll_ready()) {
    const auto found = ready_.find(*id);
    if (found == ready_.end()) continue;
    const auto call = found->second;  // may end its own body
    (*call)();
    if (alive.expired()) return;
  }
}

}  // namespace axl::bridge
