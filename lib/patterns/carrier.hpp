// Carries bodies to peers and from them, over sessions on one overlay port: one for each direction, opened when there
// is something to say. What a session that breaks takes with it is lost.
//
// Bounded: so many peers, and so much waiting for each; what is more is dropped. Sessions in which nothing was said for
// a minute are closed when the next one is opened, and the oldest of a peer when it opens one too many.
//
// All on the loop.
#pragma once

#include <axl/node.hpp>
#include <axl/session.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace axl::patterns {

class Carrier : public std::enable_shared_from_this<Carrier> {
 public:
  static constexpr std::size_t kMaxPeers = 2'048;          ///< in each direction
  static constexpr std::size_t kMaxFromPeer = 4;           ///< sessions that one peer has opened
  static constexpr std::size_t kMaxWaiting = 1u << 20;     ///< bytes for one peer
  static constexpr Duration kIdle{std::chrono::minutes{1}};

  /// An error closes the session that the body came in.
  using BodyHandler = std::function<Result<void>(const PublicKey& from, ByteSpan body)>;
  using Filter = std::function<bool(const PublicKey& peer)>;
  using Now = std::function<Time()>;

  /// `accepts` tells whose sessions are taken, besides those of peers that we have one to. `node` must outlive close().
  Carrier(Node& node, std::uint16_t port, std::size_t max_body, Now now, Filter accepts, BodyHandler handler);

  Result<void> listen();
  void send(const PublicKey& to, MessageBody body);
  /// Nothing is called any more.
  void close();

 private:
  struct Outgoing {
    std::optional<Session> session;  // none while it is being opened
    std::deque<MessageBody> waiting;
    std::size_t waiting_bytes = 0;
    Time used{};
  };

  void open(const PublicKey& to);
  void on_open(const PublicKey& to, Result<Session> session);
  void accept(Session session);
  void close_oldest_of(const PublicKey& peer);
  void abort(std::uint64_t incoming);
  void close_idle();

  Node& node_;
  const std::uint16_t port_;
  const std::size_t max_body_;
  Now now_;
  Filter accepts_;
  BodyHandler handler_;
  std::map<PublicKey, Outgoing> outgoing_;
  std::map<std::uint64_t, Session> incoming_;
  std::uint64_t next_incoming_ = 0;
  bool closed_ = false;
};

}  // namespace axl::patterns
