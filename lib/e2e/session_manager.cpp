#include "e2e/session_manager.hpp"

#include <algorithm>
#include <utility>

namespace axl::e2e {

namespace {
constexpr std::byte kDummyPayload{0};
}  // namespace

SessionManager::SessionManager(const Config& config, const PrivateKey& key, Rng& rng, Duration unix_at_zero)
    : config_{config},
      key_{key},
      static_key_{crypto::to_x25519(key)},
      rng_{rng},
      clock_{unix_at_zero},
      sessions_{config.max_sessions, config.session_timeout},
      strayed_{config.strict_strayed_inits ? config.max_strayed_inits : 0, config.strayed_init_timeout},
      waiting_{{.bytes = config.max_waiting,
                .packets = config.max_waiting_packets,
                .bytes_per_key = config.max_waiting_per_key,
                .packets_per_key = config.max_waiting_packets_per_key}},
      strayed_inits_per_source_{config.strayed_inits_per_source, config.max_rated_sources},
      strayed_inits_{config.strayed_inits},
      verifications_per_source_{config.verifications_per_source, config.max_rated_sources},
      verifications_of_strangers_{config.verifications_of_strangers},
      verifications_of_known_{config.verifications_of_known} {}

void SessionManager::on_packet(const PublicKey& source, Buffer packet, Time now) {
  if (packet.empty() || source == key_.public_key()) return;
  const auto type = static_cast<PacketType>(packet.span().front());
  switch (type) {
    case PacketType::init:
    case PacketType::ack: return on_handshake(type, source, packet, now);
    case PacketType::traffic: return on_traffic(source, std::move(packet), now);
    case PacketType::dummy: return;
  }
}

void SessionManager::on_handshake(PacketType type, const PublicKey& source, ByteSpan packet, Time now) {
  if (packet.size() != kHandshakeSize) return;
  auto* entry = sessions_.find(source);
  const auto* opening = openings_.find(source);
  if (!may_verify(source, entry != nullptr || opening != nullptr, now)) return;
  const auto handshake = open_handshake(packet, source, static_key_);
  if (!handshake || (config_.strict_seq_zero && handshake->seq == 0)) return;

  const bool existed = entry != nullptr;
  const bool opened_by_us = opening != nullptr;
  auto seq = clock_.now(now);
  bool applied = false;
  if (existed) {
    applied = entry->session.update(*handshake, rng_);
    if (applied) sessions_.touch(*entry, now);
  } else {
    const auto static_key = opening != nullptr ? opening->static_key : crypto::to_x25519(source);
    if (!static_key) return;
    auto announced = strayed_.take(source);
    if (opening != nullptr) announced = opening->announced;
    auto session = Session::create(*handshake, announced ? &*announced : nullptr, rng_);
    if (!session) return;
    // Our Init is under way, and says the same: the Ack must not be news to who has it, in a later second either.
    if (opened_by_us && config_.strict_crossing) seq = opening->seq;
    openings_.erase(source);
    entry = &sessions_.insert(source, *static_key, *std::move(session), now);
    applied = handshake->seq != 0;
  }
  // "When old is true no Ack is sent" for an Ack; an Init that is no news gets none either.
  if (applied && !(type == PacketType::ack && existed)) {
    send_handshake(PacketType::ack, source, entry->static_key, entry->session.handshake(seq));
  }
  if (!existed) release_waiting(*entry, opened_by_us, now);
}

bool SessionManager::may_verify(const PublicKey& source, bool known, Time now) {
  if (!verifications_per_source_.allow(source, now)) return false;
  return known ? verifications_of_known_.allow(now) : verifications_of_strangers_.allow(now);
}

void SessionManager::on_traffic(const PublicKey& source, Buffer&& packet, Time now) {
  const auto header = TrafficHeader::decode(packet);
  if (!header) return;
  auto* entry = sessions_.find(source);
  if (entry == nullptr) return on_stray_traffic(source, now);
  switch (entry->session.open(packet, *header, config_, now, rng_)) {
    case Session::Opened::yes:
      sessions_.confirm(*entry);
      sessions_.touch(*entry, now);
      outputs_.push(Deliver{source, std::move(packet)});
      return;
    case Session::Opened::stale: return;
    case Session::Opened::unknown: {
      const auto seq = clock_.now(now);
      if (config_.limit_session_inits && entry->last_init_seq == seq) return;
      entry->last_init_seq = seq;
      send_handshake(PacketType::init, source, entry->static_key, entry->session.handshake(seq));
      return;
    }
  }
}

// No session is made of a packet that anyone may have forged: the Ack to this Init brings all that one needs.
void SessionManager::on_stray_traffic(const PublicKey& source, Time now) {
  if (!strayed_inits_per_source_.allow(source, now) || !strayed_inits_.allow(now)) return;
  auto* opening = openings_.find(source);
  if (opening != nullptr && config_.strict_strayed_inits) return send_init(*opening, now);
  const auto static_key = crypto::to_x25519(source);
  if (!static_key) return;
  const auto keys = AnnouncedKeys::generate(rng_);
  strayed_.put(source, keys, now);
  send_handshake(
      PacketType::init, source, *static_key,
      {.current = keys.current.public_key, .next = keys.next.public_key, .key_seq = 0, .seq = clock_.now(now)});
}

void SessionManager::on_path_found(const PublicKey& key, Time now) {
  // The Init may have waited below for this path and leaves now: the second until the next one starts again, once.
  auto* opening = openings_.find(key);
  if (opening == nullptr || opening->path_found_since || !config_.strict_waiting) return;
  opening->path_found_since = true;
  openings_.rearm(*opening, now + config_.offer_interval);
}

void SessionManager::on_tick(Time now) {
  sessions_.expire(now);
  strayed_.expire(now);
  for (auto* opening = openings_.first(); opening != nullptr && opening->due <= now; opening = openings_.first()) {
    step_opening(*opening, now);
  }
}

void SessionManager::step_opening(Opening& opening, Time now) {
  const auto key = opening.key;
  const auto limit = now - config_.opening_timeout;
  for (auto dropped = waiting_.expire(key, limit); dropped > 0; --dropped) outputs_.push(GivenUp{key});
  if (opening.wanted <= limit && !waiting_.has(key)) {
    openings_.erase(key);
    return;
  }
  outputs_.push(Lookup{key});
  send_init(opening, now);
}

Result<Opening*> SessionManager::opening_for(const PublicKey& key, Time now) {
  if (auto* opening = openings_.find(key)) {
    opening->wanted = now;
    return opening;
  }
  if (key == key_.public_key()) return Error{Errc::invalid_argument, "session with our own key"};
  if (openings_.size() >= config_.max_openings) return Error{Errc::limit_reached, "too many sessions being opened"};
  const auto static_key = crypto::to_x25519(key);
  if (!static_key) return Error{Errc::crypto, "no session is possible with this key"};
  auto announced = strayed_.take(key);
  if (!announced) announced = AnnouncedKeys::generate(rng_);
  return &openings_.insert({.key = key,
                            .static_key = *static_key,
                            .announced = *announced,
                            .seq = clock_.now(now),
                            .wanted = now,
                            .due = now});
}

void SessionManager::send_init(Opening& opening, Time now) {
  if (config_.strict_init_seq) opening.seq = std::max(opening.seq, clock_.now(now));
  send_handshake(PacketType::init, opening.key, opening.static_key,
                 {.current = opening.announced.current.public_key,
                  .next = opening.announced.next.public_key,
                  .key_seq = 0,
                  .seq = opening.seq});
  opening.path_found_since = false;
  openings_.rearm(opening, now + (config_.strict_waiting ? config_.offer_interval : config_.opening_timeout));
}

Result<void> SessionManager::open(const PublicKey& key, Time now) {
  if (is_open(key)) {
    outputs_.push(Up{key});
    return {};
  }
  const bool under_way = openings_.find(key) != nullptr;
  auto opening = opening_for(key, now);
  if (!opening) return opening.error();
  if (!under_way) {
    outputs_.push(Lookup{key});
    send_init(**opening, now);
  }
  return {};
}

Result<void> SessionManager::send(const PublicKey& key, Buffer&& payload, Time now) {
  if (payload.size() > kMaxPayload) return Error{Errc::too_large, "payload of a session"};
  if (auto* entry = sessions_.find(key)) {
    send_traffic(*entry, std::move(payload), now);
    return {};
  }
  const bool under_way = openings_.find(key) != nullptr;
  auto opening = opening_for(key, now);
  if (!opening) return opening.error();
  if (!config_.strict_waiting) waiting_.replace(key, std::move(payload), now);
  const bool waits = !config_.strict_waiting || waiting_.add(key, std::move(payload), now);
  if (!under_way || !config_.strict_waiting) send_init(**opening, now);
  // The opening goes on without this packet: other keys' packets must not keep this session from coming up.
  if (!waits) return Error{Errc::would_block, "packets waiting for sessions"};
  return {};
}

void SessionManager::send_handshake(PacketType type, const PublicKey& dest, const crypto::BoxPublicKey& static_key,
                                    const Handshake& handshake) {
  if (auto packet = seal_handshake(type, handshake, key_, static_key, rng_)) {
    outputs_.push(Send{dest, *std::move(packet)});
  }
}

void SessionManager::send_traffic(SessionTable::Entry& entry, Buffer&& payload, Time now) {
  entry.session.seal(payload, rng_);
  sessions_.touch(entry, now);
  outputs_.push(Send{entry.key, std::move(payload)});
}

// The remote cannot use its half of a session before it has had Traffic of ours: without a packet a dummy goes.
void SessionManager::release_waiting(SessionTable::Entry& entry, bool opened_by_us, Time now) {
  bool sent = false;
  while (auto payload = waiting_.take(entry.key)) {
    send_traffic(entry, *std::move(payload), now);
    sent = true;
  }
  if (opened_by_us && !sent) {
    send_traffic(entry, Buffer::copy_of({&kDummyPayload, 1}, Buffer::kHeadroom), now);
  }
  outputs_.push(Up{entry.key});
}

bool SessionManager::forget_opening(const PublicKey& key) {
  waiting_.clear(key);
  return openings_.erase(key);
}

std::optional<Time> SessionManager::next_tick() const {
  std::optional<Time> next;
  for (const auto at : {sessions_.next_expiry(), openings_.next_due(), strayed_.next_expiry()}) {
    if (at && (!next || *at < *next)) next = at;
  }
  return next;
}

}  // namespace axl::e2e
