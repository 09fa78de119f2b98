#include "bridge/room_waits.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace axl::bridge {

class RoomWaits::Wait final : private http::ExchangeEvents {
 public:
  Wait(RoomWaits& owner, std::uint64_t id, http::Exchange exchange, const PublicKey& peer, std::size_t body_size,
       Time until, Handler handler)
      : owner_{owner}, id_{id}, peer_{peer}, until_{until}, handler_{std::move(handler)}, exchange_{std::move(exchange)} {
    exchange_.set_events(this);
    writer_ = owner.inbox_.wait_for_room(peer, body_size, [this] {
      waits_ = false;
      owner_.finish(id_, true);
    });
  }
  Wait(const Wait&) = delete;
  Wait& operator=(const Wait&) = delete;
  ~Wait() {
    if (waits_) owner_.inbox_.stop_waiting(writer_);
  }

  [[nodiscard]] const PublicKey& peer() const noexcept { return peer_; }
  [[nodiscard]] Time until() const noexcept { return until_; }
  void finish(bool room) {
    exchange_.set_events(nullptr);
    handler_(std::move(exchange_), room);
  }

 private:
  void on_aborted(const Error&) override { owner_.waits_.erase(id_); }

  RoomWaits& owner_;
  std::uint64_t id_;
  PublicKey peer_;
  Time until_;
  Handler handler_;
  router::WriterId writer_{};
  bool waits_ = true;
  http::Exchange exchange_;
};

RoomWaits::RoomWaits(const Limits& limits, Inbox& inbox, Host& host)
    : limits_{limits}, inbox_{inbox}, host_{host}, timer_{host.make_timer([this] { on_timer(); })} {}

RoomWaits::~RoomWaits() = default;

bool RoomWaits::may_wait(const PublicKey& peer) {
  const auto now = host_.now();
  auto since = full_since_.find(peer);
  if (since == full_since_.end()) {
    if (full_since_.size() >= limits_.peers) {  // those who asked and were told have no need to be remembered long
      std::erase_if(full_since_, [&](const auto& entry) { return entry.second + 2 * limits_.patience <= now; });
      if (full_since_.size() >= limits_.peers) return false;
    }
    since = full_since_.emplace(peer, now).first;
  }
  if (since->second + limits_.patience <= now || waits_.size() >= limits_.waiting) return false;
  const auto own = std::ranges::count_if(waits_, [&](const auto& item) { return item.second->peer() == peer; });
  return static_cast<std::size_t>(own) < limits_.waiting_per_peer;
}

void RoomWaits::wait(http::Exchange exchange, const PublicKey& peer, std::size_t body_size, Handler handler) {
  const auto since = full_since_.try_emplace(peer, host_.now()).first->second;
  const auto until = since + limits_.patience;
  const auto id = next_++;
  waits_.emplace(id, std::make_unique<Wait>(*this, id, std::move(exchange), peer, body_size, until, std::move(handler)));
  if (armed_ && *armed_ <= until) return;
  armed_ = until;
  timer_->arm(until);
}

void RoomWaits::finish(std::uint64_t id, bool room) {
  const auto self = waits_.extract(id);  // lives to the end of this function
  if (self) self.mapped()->finish(room);
}

void RoomWaits::drain() {
  limits_.waiting = 0;
  while (!waits_.empty()) finish(waits_.begin()->first, false);
}

void RoomWaits::on_timer() {
  const auto now = host_.now();
  std::vector<std::uint64_t> late;
  std::optional<Time> next;
  for (const auto& [id, wait] : waits_) {
    if (wait->until() <= now) {
      late.push_back(id);
    } else {
      next = std::min(next.value_or(wait->until()), wait->until());
    }
  }
  armed_ = next;
  if (next) timer_->arm(*next);
  for (const auto id : late) finish(id, false);
}

}  // namespace axl::bridge
