// The protocol by which two keys come to share a session, keep it, and find it again after one side has lost it.
//
// One session or one opening for each remote key. What is to be sent before a session is up waits in order and goes
// out behind the Ack that makes it; an Init is sent again every second until then, since nothing below repeats it.
// Payloads are opaque here, and a payload's source is a key that has proved itself.
//
// Pure. Source: overlay links and sessions, sections 5.4 to 5.6 and 8.3.
#pragma once

#include <axl/key.hpp>
#include <axl/random.hpp>
#include <axl/result.hpp>
#include <axl/time.hpp>
#include <optional>
#include <variant>
#include <vector>

#include "core/buffer.hpp"
#include "e2e/config.hpp"
#include "e2e/openings.hpp"
#include "e2e/output_queue.hpp"
#include "e2e/rate_limit.hpp"
#include "e2e/seq_clock.hpp"
#include "e2e/session_table.hpp"
#include "e2e/strayed_inits.hpp"
#include "e2e/waiting_room.hpp"

namespace axl::e2e {

class SessionManager {
 public:
  struct Send {
    PublicKey dest;
    Buffer packet;
  };
  struct Lookup {
    PublicKey key;
  };
  struct Deliver {
    PublicKey source;
    Buffer payload;
  };
  struct Up {
    PublicKey key;
  };
  struct GivenUp {  ///< one packet that waited too long
    PublicKey key;
  };
  using Output = std::variant<Send, Lookup, Deliver, Up, GivenUp>;

  /// `config` and `rng` must outlive the manager.
  SessionManager(const Config& config, const PrivateKey& key, Rng& rng, Duration unix_at_zero);

  void on_packet(const PublicKey& source, Buffer packet, Time now);
  void on_path_found(const PublicKey& key, Time now);
  void on_tick(Time now);

  /// Opens a session without a payload: a dummy goes out when it is up, so that the other side can use it.
  Result<void> open(const PublicKey& key, Time now);
  /// `payload` is taken only on success; it may be up to kMaxPayload bytes.
  Result<void> send(const PublicKey& key, Buffer&& payload, Time now);

  /// Loses state, as a restart would. True when there was any.
  bool forget_session(const PublicKey& key) { return sessions_.erase(key); }
  bool forget_opening(const PublicKey& key);

  [[nodiscard]] std::optional<Output> poll_output() { return outputs_.pop(); }
  [[nodiscard]] std::optional<Time> next_tick() const;

  [[nodiscard]] bool is_open(const PublicKey& key) const { return sessions_.find(key) != nullptr; }
  [[nodiscard]] const SessionTable& sessions() const noexcept { return sessions_; }
  [[nodiscard]] const Openings& openings() const noexcept { return openings_; }
  [[nodiscard]] const WaitingRoom& waiting() const noexcept { return waiting_; }

 private:
  void on_handshake(PacketType type, const PublicKey& source, ByteSpan packet, Time now);
  void on_traffic(const PublicKey& source, Buffer&& packet, Time now);
  void on_stray_traffic(const PublicKey& source, Time now);
  [[nodiscard]] bool may_verify(const PublicKey& source, bool known, Time now);
  Result<Opening*> opening_for(const PublicKey& key, Time now);
  void step_opening(Opening& opening, Time now);
  void send_init(Opening& opening, Time now);
  void send_handshake(PacketType type, const PublicKey& dest, const crypto::BoxPublicKey& static_key,
                      const Handshake& handshake);
  void send_traffic(SessionTable::Entry& entry, Buffer&& payload, Time now);
  void release_waiting(SessionTable::Entry& entry, bool opened_by_us, Time now);

  const Config& config_;
  PrivateKey key_;
  crypto::Secret static_key_;  // X25519 form of key_
  Rng& rng_;
  SeqClock clock_;
  SessionTable sessions_;
  Openings openings_;
  StrayedInits strayed_;
  WaitingRoom waiting_;
  RateLimitPerSource strayed_inits_per_source_;
  RateLimit strayed_inits_;
  RateLimitPerSource verifications_per_source_;
  RateLimit verifications_of_strangers_;
  RateLimit verifications_of_known_;
  OutputQueue<Output> outputs_;
};

}  // namespace axl::e2e
