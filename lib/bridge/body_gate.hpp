// Lets bodies grow as the budget allows, and calls back those that had to wait.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "core/executor.hpp"
#include "router/body_budget.hpp"

namespace axl::bridge {

class BodyGate {
 public:
  /// One body's place in the budget; its end gives the bytes back.
  class Ticket {
   public:
    Ticket() = default;
    Ticket(BodyGate& gate, router::BodyId id) noexcept : gate_{&gate}, id_{id} {}
    Ticket(BodyGate& gate, const PublicKey& peer, std::size_t bytes) noexcept
        : gate_{&gate}, peer_{peer}, bytes_{bytes} {}
    Ticket(Ticket&& other) noexcept
        : gate_{std::exchange(other.gate_, nullptr)}, id_{other.id_}, peer_{other.peer_}, bytes_{other.bytes_} {}
    Ticket& operator=(Ticket&& other) noexcept;
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    ~Ticket() { release(); }

    /// False: leave the bytes unread until the callback of begin().
    [[nodiscard]] bool grow(std::size_t bytes) const;
    void release() noexcept;
    [[nodiscard]] bool valid() const noexcept { return gate_ != nullptr; }

   private:
    friend class BodyGate;
    BodyGate* gate_ = nullptr;
    router::BodyId id_{};  // 0: a body that was here in whole
    PublicKey peer_;
    std::size_t bytes_ = 0;
  };

  /// `executor` must outlive the gate, and the gate its tickets.
  BodyGate(std::size_t total, Executor& executor) : budget_{total}, executor_{executor} {}

  void favour(const PublicKey& peer) { budget_.favour(peer); }
  /// `ready` is called, on its own turn, when a grow() that was refused should be tried again.
  [[nodiscard]] Ticket begin(const PublicKey& peer, std::function<void()> ready);
  /// For a body that is here in whole: its place, or an empty ticket if there is none just now.
  [[nodiscard]] Ticket hold(const PublicKey& peer, std::size_t bytes) {
    return budget_.hold(peer, bytes) ? Ticket{*this, peer, bytes} : Ticket{};
  }
  [[nodiscard]] std::size_t used() const noexcept { return budget_.used(); }

 private:
  void end(const Ticket& ticket) noexcept;
  void run_ready();

  router::BodyBudget budget_;
  Executor& executor_;
  std::map<router::BodyId, std::shared_ptr<const std::function<void()>>> ready_;
  bool posted_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace axl::bridge
