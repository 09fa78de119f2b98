// The secrets that we share with one key right now: both sides' box keys, what is derived from them, and the nonces.
//
// Each side has three key pairs and steps to the next when it hears the other use its next one, at most once in
// `rotation_interval`. So keys older than two epochs are gone, and a packet in flight during a step still opens; so does
// one in flight when both sides have opened at once, though it was sealed for a key two steps old (State::crossed).
// Nonces only grow within an epoch: a packet that comes late is lost, by design.
//
// Pure, no I/O, no timers. Source: overlay links and sessions, sections 5.3 and 5.4.
#pragma once

#include <axl/time.hpp>
#include <cstdint>
#include <optional>

#include "crypto/box.hpp"
#include "e2e/config.hpp"
#include "e2e/session_packets.hpp"

namespace axl::e2e {

/// The two key pairs that our Init has announced.
struct AnnouncedKeys {
  crypto::BoxKeyPair current;
  crypto::BoxKeyPair next;

  [[nodiscard]] static AnnouncedKeys generate(Rng& rng);
};

class Session {
 public:
  /// A secret and the last nonce seen or used with it. Half of all secrets are never used, and each costs a
  /// multiplication on the curve: they are made when they are first asked for.
  struct Channel {
    std::optional<crypto::Secret> key;
    std::uint64_t nonce = 0;
  };
  struct State {
    std::uint64_t remote_seq = 0;  ///< `seq` of the last Init or Ack applied
    crypto::BoxPublicKey remote_current;
    crypto::BoxPublicKey remote_next;
    std::uint64_t remote_key_seq = 0;  ///< number of `remote_current`
    crypto::BoxKeyPair recv;           ///< number local_key_seq - 1
    crypto::BoxKeyPair send;           ///< number local_key_seq
    crypto::BoxKeyPair next;           ///< number local_key_seq + 1
    std::uint64_t local_key_seq = 0;
    Channel receiving;            ///< remote_current, recv
    Channel sending;              ///< remote_current, send
    Channel receiving_next_send;  ///< remote_next, send: the remote has stepped to its next key
    Channel receiving_next_recv;  ///< remote_next, recv: it has, but does not know our newest key
    /// What the last rotation was opened with, if the remote did not know our newest key then. More may be under way.
    Channel crossed;
    std::optional<Time> rotated_at;
    std::uint64_t rx = 0;  ///< payload bytes
    std::uint64_t tx = 0;
  };
  enum class Opened : std::uint8_t {
    yes,      ///< the buffer now holds the payload
    stale,    ///< an old nonce: drop in silence
    unknown,  ///< no key of ours opens it: the sender needs our keys
  };

  /// A session from the first Init or Ack of a remote, that packet applied. `announced`: the keys of our own Init, if
  /// we sent one. Empty when the remote's keys are such that no secret comes of them.
  [[nodiscard]] static std::optional<Session> create(const Handshake& remote, const AnnouncedKeys* announced, Rng& rng);

  /// Applies a later Init or Ack. False when it is no news (its seq is not newer) or its keys are no good.
  [[nodiscard]] bool update(const Handshake& remote, Rng& rng);
  /// What an Init or Ack of ours says now.
  [[nodiscard]] Handshake handshake(std::uint64_t seq) const noexcept;

  /// Turns a payload into a Traffic packet where it stands.
  void seal(Buffer& payload, Rng& rng);
  /// Opens a Traffic packet where it stands; unless the answer is `yes` it is unchanged.
  [[nodiscard]] Opened open(Buffer& packet, const TrafficHeader& header, const Config& config, Time now, Rng& rng);

  [[nodiscard]] const State& state() const noexcept { return state_; }
  /// The secret of one of the channels of state(), whether it was asked for before or not.
  [[nodiscard]] crypto::Secret secret_of(Channel State::*channel) const noexcept;

 private:
  Session() = default;
  [[nodiscard]] const crypto::Secret& use(Channel State::*channel) noexcept;
  static bool derive(State& state, std::uint64_t receive_nonce, std::uint64_t send_nonce) noexcept;
  static void step_own_keys(State& state, Rng& rng);
  static bool apply(State& state, const Handshake& remote, Rng& rng);

  State state_;
};

}  // namespace axl::e2e
