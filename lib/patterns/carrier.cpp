#include "patterns/carrier.hpp"

#include <utility>

namespace axl::patterns {

Carrier::Carrier(Node& node, std::uint16_t port, std::size_t max_body, Now now, Filter accepts, BodyHandler handler)
    : node_{node},
      port_{port},
      max_body_{max_body},
      now_{std::move(now)},
      accepts_{std::move(accepts)},
      handler_{std::move(handler)} {}

Result<void> Carrier::listen() {
  return node_.listen(port_, [weak = weak_from_this()](Session session) {
    if (const auto self = weak.lock(); self && !self->closed_) self->accept(std::move(session));
  });
}

void Carrier::close() {
  closed_ = true;
  node_.stop_listening(port_);
  outgoing_.clear();
  incoming_.clear();
}

void Carrier::send(const PublicKey& to, MessageBody body) {
  if (closed_) return;
  if (!outgoing_.contains(to)) {
    close_idle();
    if (outgoing_.size() >= kMaxPeers) return;
    open(to);
  }
  auto& peer = outgoing_[to];
  peer.used = now_();
  if (peer.session) {
    if (peer.session->pending() <= kMaxWaiting) static_cast<void>(peer.session->send_message(std::move(body)));
  } else if (peer.waiting_bytes + body.size() <= kMaxWaiting) {
    peer.waiting_bytes += body.size();
    peer.waiting.push_back(std::move(body));
  }
}

void Carrier::open(const PublicKey& to) {
  node_.connect(to, port_, [weak = weak_from_this(), to](Result<Session> session) {
    if (const auto self = weak.lock(); self && !self->closed_) self->on_open(to, std::move(session));
  });
}

void Carrier::on_open(const PublicKey& to, Result<Session> session) {
  if (!session) {
    outgoing_.erase(to);
    return;
  }
  auto& peer = outgoing_[to];
  peer.session = std::move(*session);
  peer.session->on_closed([weak = weak_from_this(), to](const Error*) {
    if (const auto self = weak.lock()) self->outgoing_.erase(to);
  });
  for (auto& body : std::exchange(peer.waiting, {})) static_cast<void>(peer.session->send_message(std::move(body)));
  peer.waiting_bytes = 0;
}

void Carrier::accept(Session session) {
  const auto from = session.peer();
  if (incoming_.size() >= kMaxPeers || (!accepts_(from) && !outgoing_.contains(from))) {
    session.abort();
    return;
  }
  close_oldest_of(from);
  const auto id = next_incoming_++;
  auto& kept = incoming_.emplace(id, std::move(session)).first->second;
  kept.on_message(
      [weak = weak_from_this(), id, from](const MessageBody& body) {
        const auto self = weak.lock();
        if (!self || self->closed_ || self->handler_(from, body)) return;
        self->abort(id);
      },
      max_body_);
  kept.on_end([weak = weak_from_this(), id] {
    if (const auto self = weak.lock()) self->incoming_.erase(id);
  });
  kept.on_closed([weak = weak_from_this(), id](const Error*) {
    if (const auto self = weak.lock()) self->incoming_.erase(id);
  });
}

// Out of the table first: its end would be told to us, who would take it out.
void Carrier::abort(std::uint64_t id) {
  if (auto session = incoming_.extract(id); !session.empty()) session.mapped().abort();
}

// Makes room for one more of this peer.
void Carrier::close_oldest_of(const PublicKey& peer) {
  std::size_t count = 0;
  auto oldest = incoming_.end();
  for (auto session = incoming_.begin(); session != incoming_.end(); ++session) {
    if (session->second.peer() != peer) continue;
    if (count++ == 0) oldest = session;
  }
  if (count < kMaxFromPeer) return;
  abort(oldest->first);
}

void Carrier::close_idle() {
  const auto now = now_();
  std::erase_if(outgoing_, [&](const auto& peer) { return peer.second.session && now - peer.second.used > kIdle; });
}

}  // namespace axl::patterns
