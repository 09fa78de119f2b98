#include "reader.hpp"

#include <utility>

namespace axl::python {

Reader::Reader(std::shared_ptr<Channel> channel, Options options)
    : channel_{std::move(channel)}, options_{std::move(options)}, id_{channel_->next_id()} {}

// The loop hears of what was taken once for half of what is kept ready, and when that is used up.
std::optional<Router::Leased> Reader::next(Host& host) {
  std::optional<Router::Leased> out;
  bool ask = false;
  {
    const std::lock_guard lock{mutex_};
    if (!ready_.empty()) {
      out = std::move(ready_.front());
      ready_.pop_front();
      if (!options_.keep) taken_.push_back(out->id);
    } else {
      waited_for_ = true;
    }
    const bool low = ready_.size() <= options_.ready / 2;
    const bool wanted = options_.keep ? !out : low && (!out || taken_.size() > options_.ready / 2 || ready_.empty());
    ask = wanted && !closed_ && !std::exchange(filling_, true);
  }
  if (ask) {
    host.with([self = shared_from_this()](Node& node) {
      node.post([self, at = &node] { self->fill(*at); });
    });
  }
  return out;
}

void Reader::fill(Node& node) {
  auto router = node.router();
  Leases taken;
  {
    const std::lock_guard lock{mutex_};
    filling_ = false;
    taken.swap(taken_);
  }
  flush(node, taken);
  for (;;) {
    {
      const std::lock_guard lock{mutex_};
      if (closed_ || wait_ || ready_.size() >= options_.ready) return;
    }
    auto leased = router.lease(options_.wanted, options_.time);
    if (!leased) break;
    take(std::move(*leased));
  }
  wait_ = router.lease_next(
      options_.wanted,
      [self = shared_from_this(), at = &node](Router::Leased leased) {
        self->wait_.reset();
        self->take(std::move(leased));
        self->fill(*at);
      },
      options_.time);
}

void Reader::take(Router::Leased leased) {
  {
    const std::lock_guard lock{mutex_};
    ready_.push_back(std::move(leased));
    if (!std::exchange(waited_for_, false)) return;
  }
  channel_->push(Channel::Kind::changed, id_, {});
}

void Reader::flush(Node& node, const Leases& taken) {
  auto router = node.router();
  for (const auto id : taken) static_cast<void>(router.confirm(id));
}

void Reader::close(Host& host) {
  {
    const std::lock_guard lock{mutex_};
    if (std::exchange(closed_, true)) return;
  }
  host.with([self = shared_from_this()](Node& node) {
    node.post([self, at = &node] {
      auto router = at->router();
      if (self->wait_) router.stop_waiting(*std::exchange(self->wait_, std::nullopt));
      Leases taken;
      std::deque<Router::Leased> left;
      {
        const std::lock_guard lock{self->mutex_};
        taken.swap(self->taken_);
        left.swap(self->ready_);
      }
      self->flush(*at, taken);
      for (const auto& leased : left) static_cast<void>(router.give_back(leased.id));
    });
  });
}

}  // namespace axl::python
