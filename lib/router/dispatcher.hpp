// Decides what becomes of a message that has arrived: a handler's, the queue's, known already, or refused.
//
// It is what the public Router stands on, and what the bridge feeds. Messages with an id are checked against the ids
// seen before; only a message that was taken is remembered, so a refused one may be sent again.
#pragma once

#include <axl/message.hpp>
#include <axl/random.hpp>
#include <axl/router.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string_view>

#include "router/receive_queue.hpp"
#include "router/seen_ids.hpp"

namespace axl::router {

enum class Verdict : std::uint8_t {
  accepted,
  duplicate,   ///< same id, same body: taken before
  conflict,    ///< same id, another body
  full,        ///< no room in the queue
  peer_share,  ///< this peer already holds its share
};

class Dispatcher {
 public:
  struct Config {
    ReceiveQueue::Config queue;
  };
  using Event = ReceiveQueue::Event;

  Dispatcher(const Config& config, Rng& rng);

  /// A peer that the configuration names: half of every budget is kept for such.
  void favour(const PublicKey& peer);

  /// Takes `message` only when accepted; one without an id is given one, to be confirmed by. Its handler, if any, is
  /// called before this returns. `digest`: of its body, by body_digest(), where it is known already.
  [[nodiscard]] Verdict offer(Message& message, Time now, const BodyDigest::Digest* digest = nullptr);
  [[nodiscard]] const BodyDigest& body_digest() const noexcept { return seen_.digest(); }

  /// Would offer() refuse a message of that size before looking at its body? A known id never is: it may be a
  /// repetition.
  [[nodiscard]] std::optional<Refusal> would_refuse(const PublicKey& sender, std::string_view id, std::size_t body_size,
                                                    Time now);

  [[nodiscard]] ReceiveQueue& queue() noexcept { return queue_; }
  [[nodiscard]] Router::QueueStats stats() const;

  /// Call until empty after `on_event`.
  [[nodiscard]] std::optional<Event> poll_event();
  /// `wake` is called when poll_event() has something to say; it must not poll inside that call.
  void on_event(std::function<void()> wake) { wake_ = std::move(wake); }
  /// To be called after using queue() directly.
  void check_events();

  Router::HandlerId add_handler(Router::Filter filter, Router::Handler handler);
  void remove_handler(Router::HandlerId id);
  [[nodiscard]] std::optional<Message> receive(const Selection& wanted);

 private:
  [[nodiscard]] std::string make_id();
  [[nodiscard]] std::shared_ptr<const Router::Handler> handler_for(const Message& message) const;

  struct Handler {
    Router::Filter filter;
    std::shared_ptr<const Router::Handler> call;
  };

  Rng& rng_;
  ReceiveQueue queue_;
  SeenIds seen_;
  std::map<Router::HandlerId, Handler> handlers_;  // in the order they were added
  std::function<void()> wake_;
  bool woken_ = false;  // wake_ was called and poll_event has not yet come back empty
  std::uint64_t next_handler_ = 1;
  Router::QueueStats counters_;
};

}  // namespace axl::router
