#include "e2e/session.hpp"

#include <limits>
#include <utility>

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
  // All three are drawn, whatever happens; a public key is made only for those that will be used.
  const auto recv = crypto::Secret::draw(rng);
  const auto send = crypto::Secret::draw(rng);
  const auto next = crypto::Secret::draw(rng);
  state.send = announced != nullptr ? announced->current : crypto::BoxKeyPair::of(send);
  state.next = announced != nullptr ? announced->next : crypto::BoxKeyPair::of(next);
  if (remote.seq == 0) {
    state.recv = crypto::BoxKeyPair::of(recv);
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
      state_.next.public_key, use(&State::sending));
}

Session::Opened Session::open(Buffer& packet, const TrafficHeader& header, const Config& config, Time now, Rng& rng) {
  // Three cases, in the protocol's order, and one of our own; the numbers wrap.
  const bool same = header.sender_key == state_.remote_key_seq;
  const bool stepped = header.sender_key == state_.remote_key_seq + 1;
  const bool knows_newest = header.receiver_key == state_.local_key_seq;
  const bool knows_previous = header.receiver_key + 1 == state_.local_key_seq;
  Channel State::*channel = nullptr;
  if (same && knows_previous) {
    channel = &State::receiving;
  } else if (stepped && knows_newest) {
    channel = &State::receiving_next_send;
  } else if (stepped && knows_previous) {
    channel = &State::receiving_next_recv;
  } else if (same && header.receiver_key + 2 == state_.local_key_seq && state_.crossed.key) {
    channel = &State::crossed;
  } else {
    return Opened::unknown;
  }
  if (header.nonce <= (state_.*channel).nonce) return Opened::stale;
  const auto next = open_traffic(packet, header, use(channel));
  if (!next) return Opened::unknown;

  (state_.*channel).nonce = header.nonce;
  state_.rx += packet.size();
  const bool due = !state_.rotated_at || now - *state_.rotated_at > config.rotation_interval;
  if (stepped && due) {
    State rotated = state_;
    rotated.remote_current = rotated.remote_next;
    rotated.remote_next = *next;
    rotated.remote_key_seq += 1;
    step_own_keys(rotated, rng);
    if (knows_previous && config.strict_crossing) rotated.crossed = state_.*channel;
    rotated.rotated_at = now;
    // A next key that makes no secret is the sender's own fault: stay in this epoch.
    if (derive(rotated, header.nonce, 0)) state_ = rotated;
  }
  return Opened::yes;
}

crypto::Secret Session::secret_of(Channel State::*channel) const noexcept {
  const auto& key = (state_.*channel).key;
  if (key) return *key;
  const bool next = channel == &State::receiving_next_send || channel == &State::receiving_next_recv;
  const bool send = channel == &State::sending || channel == &State::receiving_next_send;
  return *crypto::box_shared(next ? state_.remote_next : state_.remote_current,
                             send ? state_.send.private_key : state_.recv.private_key);
}

const crypto::Secret& Session::use(Channel State::*channel) noexcept {
  auto& key = (state_.*channel).key;
  if (!key) key = secret_of(channel);
  return *key;
}

// Whether a key of the remote makes secrets does not depend on the key of ours: it does not when its order is small,
// and then with none. So the two secrets that are made here stand for the two that come later.
bool Session::derive(State& state, std::uint64_t receive_nonce, std::uint64_t send_nonce) noexcept {
  auto sending = crypto::box_shared(state.remote_current, state.send.private_key);
  auto next_send = crypto::box_shared(state.remote_next, state.send.private_key);
  if (!sending || !next_send) return false;
  state.receiving = {.key = {}, .nonce = receive_nonce};
  state.sending = {.key = std::move(sending), .nonce = send_nonce};
  state.receiving_next_send = {.key = std::move(next_send), .nonce = 0};
  state.receiving_next_recv = {};
  return true;
}

void Session::step_own_keys(State& state, Rng& rng) {
  state.recv = state.send;
  state.send = state.next;
  state.next = crypto::BoxKeyPair::generate(rng);
  state.local_key_seq += 1;
  state.crossed = {};
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
