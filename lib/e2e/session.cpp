#include "e2e/session.hpp"

#include <limits>

namespace axl::e2e {

AnnouncedKeys AnnouncedKeys::generate(Rng& rng) {
  AnnouncedKeys keys;
  keys.current = crypto::BoxKeyPair::generate(rng);
  keys.next = crypto::BoxKeyPair::generate(rng);
  return keys;
}

std::optional<Session> Session::create(const Handshake& remote, const AnnouncedKeys* announced, Rng& rng) {
  std::optional<Session> session{Session{}};
  auto& state = session->state_;
  state.recv = crypto::BoxKeyPair::generate(rng);
  state.send = crypto::BoxKeyPair::generate(rng);
  state.next = crypto::BoxKeyPair::generate(rng);
  if (announced != nullptr) {
    state.send = announced->current;
    state.next = announced->next;
  }
  if (remote.seq == 0) {
    // "remoteSeq = seq - 1" wraps: nothing will ever be newer, this packet neither.
    state.remote_seq = std::numeric_limits<std::uint64_t>::max();
    state.remote_current = remote.current;
    state.remote_next = remote.next;
    if (!derive(state, 0, 0)) session.reset();
  } else if (!apply(state, remote, rng)) {
    session.reset();
  }
  return session;
}

bool Session::update(const Handshake& remote, Rng& rng) {
  if (remote.seq <= state_.remote_seq) return false;
  State updated = state_;
  if (!apply(updated, remote, rng)) return false;
  state_ = updated;
  return true;
}

Handshake Session::handshake(std::uint64_t seq) const noexcept {
  return {
      .current = state_.send.public_key, .next = state_.next.public_key, .key_seq = state_.local_key_seq, .seq = seq};
}

void Session::seal(Buffer& payload, Rng& rng) {
  if (state_.sending.nonce == std::numeric_limits<std::uint64_t>::max()) {
    State stepped = state_;
    step_own_keys(stepped, rng);
    if (derive(stepped, 0, 0)) state_ = stepped;
  }
  state_.sending.nonce += 1;
  state_.tx += payload.size();
  seal_traffic(
      payload,
      {.sender_key = state_.local_key_seq, .receiver_key = state_.remote_key_seq, .nonce = state_.sending.nonce},
      state_.next.public_key, state_.sending.key);
}

Session::Opened Session::open(Buffer& packet, const TrafficHeader& header, Duration rotation_interval, Time now,
                              Rng& rng) {
  // Three cases, in the protocol's order; the numbers wrap.
  const bool same = header.sender_key == state_.remote_key_seq;
  const bool stepped = header.sender_key == state_.remote_key_seq + 1;
  const bool knows_newest = header.receiver_key == state_.local_key_seq;
  const bool knows_previous = header.receiver_key + 1 == state_.local_key_seq;
  Channel* channel = nullptr;
  if (same && knows_previous) {
    channel = &state_.receiving;
  } else if (stepped && knows_newest) {
    channel = &state_.receiving_next_send;
  } else if (stepped && knows_previous) {
    channel = &state_.receiving_next_recv;
  } else {
    return Opened::unknown;
  }
  if (header.nonce <= channel->nonce) return Opened::stale;
  const auto next = open_traffic(packet, header, channel->key);
  if (!next) return Opened::unknown;

  channel->nonce = header.nonce;
  state_.rx += packet.size();
  const bool due = !state_.rotated_at || now - *state_.rotated_at > rotation_interval;
  if (stepped && due) {
    State rotated = state_;
    rotated.remote_current = rotated.remote_next;
    rotated.remote_next = *next;
    rotated.remote_key_seq += 1;
    step_own_keys(rotated, rng);
    rotated.rotated_at = now;
    // A next key that makes no secret is the sender's own fault: stay in this epoch.
    if (derive(rotated, header.nonce, 0)) state_ = rotated;
  }
  return Opened::yes;
}

bool Session::derive(State& state, std::uint64_t receive_nonce, std::uint64_t send_nonce) noexcept {
  const auto receiving = crypto::box_shared(state.remote_current, state.recv.private_key);
  const auto sending = crypto::box_shared(state.remote_current, state.send.private_key);
  const auto next_send = crypto::box_shared(state.remote_next, state.send.private_key);
  const auto next_recv = crypto::box_shared(state.remote_next, state.recv.private_key);
  if (!receiving || !sending || !next_send || !next_recv) return false;
  state.receiving = {*receiving, receive_nonce};
  state.sending = {*sending, send_nonce};
  state.receiving_next_send = {*next_send, 0};
  state.receiving_next_recv = {*next_recv, 0};
  return true;
}

void Session::step_own_keys(State& state, Rng& rng) {
  state.recv = state.send;
  state.send = state.next;
  state.next = crypto::BoxKeyPair::generate(rng);
  state.local_key_seq += 1;
}

// The send nonce is kept: only a rotation starts it anew.
bool Session::apply(State& state, const Handshake& remote, Rng& rng) {
  state.remote_current = remote.current;
  state.remote_next = remote.next;
  state.remote_seq = remote.seq;
  state.remote_key_seq = remote.key_seq;
  step_own_keys(state, rng);
  return derive(state, 0, state.sending.nonce);
}

}  // namespace axl::e2e
