#include "e2e/engine.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "e2e/address_waiting.hpp"
#include "e2e/ipv6.hpp"
#include "e2e/key_store.hpp"
#include "e2e/output_queue.hpp"
#include "e2e/rate_limit.hpp"
#include "e2e/remote_protocol.hpp"
#include "e2e/session_manager.hpp"

namespace axl::e2e {

namespace {

constexpr std::byte kIpv6Payload{static_cast<std::uint8_t>(PayloadType::ipv6)};
constexpr std::byte kAddressPrefix{0x02};
constexpr std::byte kSubnetPrefix{0x03};

bool is_overlay(const Address& address) noexcept {
  return address.bytes()[0] == kAddressPrefix || address.bytes()[0] == kSubnetPrefix;
}

// The packet stood behind at least 53 bytes that are no longer needed: it moves there, by three bytes at most.
void align(Buffer& packet) {
  const auto excess = reinterpret_cast<std::uintptr_t>(packet.data()) % 4;
  if (excess == 0) return;
  const auto size = packet.size();
  const auto* from = packet.data();
  if (packet.headroom() < excess) {
    packet = Buffer::copy_of(packet);
    return;
  }
  packet.prepend(excess);
  std::memmove(packet.data(), from, size);
  packet.drop_back(excess);
}

}  // namespace

struct Engine::State {
  State(const Config& wanted, const PrivateKey& key, Rng& rng, Duration unix_at_zero)
      : config{wanted},
        own_key{key.public_key()},
        own{OwnAddresses::of(own_key)},
        sessions{config, key, rng, unix_at_zero},
        keys{config.max_known_keys, config.key_timeout},
        homeless{config},
        pings{config.pings},
        questions{config.questions_per_key, config.max_rated_sources},
        remote{config, own_key} {}

  void take_from_sessions(Time now);
  void follow_pings(Time now);
  void open(const PublicKey& key, Time now);
  void on_payload(const PublicKey& source, Buffer payload, Time now);
  void on_protocol(const PublicKey& source, ByteSpan message, Time now);
  void on_ipv6(const PublicKey& source, Buffer packet, Time now);
  void answer_too_big(const PublicKey& source, const Ipv6Addresses& addresses, const Buffer& packet, Time now);
  void learn(const PublicKey& key, Time now);
  void release(const PublicKey& key, Time now);
  Result<Ipv6Addresses> check_outgoing(const Buffer& packet) const;
  Result<void> send_packet(const PublicKey& dest, Buffer&& packet, Time now);
  Result<void> send_to_address(Buffer&& packet, Time now);

  Config config;
  PublicKey own_key;
  OwnAddresses own;
  SessionManager sessions;
  KeyStore keys;
  AddressWaiting homeless;  // packets whose destination has no known key
  Pings pings;
  RateLimitPerSource questions;
  RemoteProtocol remote;
  OutputQueue<Output> outputs;
};

// What the session layer hands out goes on to the caller, payloads first through the rules of section 6.
void Engine::State::take_from_sessions(Time now) {
  while (auto output = sessions.poll_output()) {
    if (auto* sent = std::get_if<SessionManager::Send>(&*output)) {
      outputs.push(SendPacket{sent->dest, std::move(sent->packet)});
    } else if (auto* delivered = std::get_if<SessionManager::Deliver>(&*output)) {
      on_payload(delivered->source, std::move(delivered->payload), now);
    } else if (const auto* lookup = std::get_if<SessionManager::Lookup>(&*output)) {
      outputs.push(SendLookup{lookup->key});
    } else if (const auto* up = std::get_if<SessionManager::Up>(&*output)) {
      learn(up->key, now);
      outputs.push(SessionUp{up->key});
      pings.on_up(up->key, now);
    } else if (const auto* given_up = std::get_if<SessionManager::GivenUp>(&*output)) {
      outputs.push(Dropped{given_up->key});
    }
  }
}

void Engine::State::follow_pings(Time now) {
  while (const auto wanted = pings.next_reach()) {
    if (!sessions.is_open(wanted->key)) {
      open(wanted->key, now);
    } else if (!questions.allow(wanted->key, now)) {
      pings.put_off(wanted->key, now);
    } else if (sessions.send(wanted->key, RemoteProtocol::request(pings.question_for(wanted->key)), now)) {
      pings.asked(wanted->key, now);
    }
    take_from_sessions(now);
  }
  while (auto done = pings.next_done()) outputs.push(*std::move(done));
}

void Engine::State::open(const PublicKey& key, Time now) {
  // A key with which no session can be, and too many at once: SessionUp does not follow.
  if (!sessions.open(key, now)) return;
  keys.pin(key, now);
  release(key, now);
}

void Engine::State::on_payload(const PublicKey& source, Buffer payload, Time now) {
  if (payload.empty()) return;
  const auto type = static_cast<PayloadType>(payload.data()[0]);
  if (type == PayloadType::ipv6) {
    payload.drop_front(1);
    on_ipv6(source, std::move(payload), now);
  } else if (type == PayloadType::protocol) {
    on_protocol(source, payload.span().subspan(1), now);
  }
}

void Engine::State::on_protocol(const PublicKey& source, ByteSpan message, Time now) {
  auto answer = remote.on_message(source, message, now);
  if (auto* payload = std::get_if<Buffer>(&answer)) {
    // Its session is up, since the request came through it; else the asker times out.
    if (sessions.is_open(source)) static_cast<void>(sessions.send(source, std::move(*payload), now).ok());
  } else if (const auto* list = std::get_if<RemoteProtocol::KeyList>(&answer)) {
    outputs.push(KeysWanted{source, static_cast<std::uint8_t>(*list)});
  } else if (const auto* question = std::get_if<Question>(&answer)) {
    pings.on_answer(source, *question, now);
  }
}

void Engine::State::on_ipv6(const PublicKey& source, Buffer packet, Time now) {
  const auto addresses = Ipv6Addresses::of(packet);
  if (!addresses) return;
  if (packet.size() > config.mtu) return answer_too_big(source, *addresses, packet, now);
  if (!own.has(addresses->dest)) return;
  learn(source, now);
  const auto theirs = OwnAddresses::of(source);
  if (!theirs.has(addresses->source)) return;
  const bool exact = addresses->source == theirs.address && addresses->dest == own.address;
  if (config.strict_addresses && !exact) return;
  align(packet);
  outputs.push(DeliverPacket{source, std::move(packet)});
}

void Engine::State::answer_too_big(const PublicKey& source, const Ipv6Addresses& addresses, const Buffer& packet,
                                   Time now) {
  auto answer = packet_too_big(packet, static_cast<std::uint32_t>(std::min(config.mtu, kMaxIpv6Packet)));
  if (!config.strict_packet_too_big) {
    static_cast<void>(send_to_address(std::move(answer), now).ok());
  } else if (own.has(addresses.dest) && OwnAddresses::of(source).has(addresses.source)) {
    static_cast<void>(send_packet(source, std::move(answer), now).ok());
  }
}

void Engine::State::learn(const PublicKey& key, Time now) {
  if (keys.update(key, now)) release(key, now);
}

// "Packets buffered for that exact address or subnet are then sent."
void Engine::State::release(const PublicKey& key, Time now) {
  for (const auto& dest : {Address::of(key), address_of(Subnet::of(key))}) {
    if (keys.find_route(dest) != key) continue;
    const auto target = partial_key_for(dest);
    while (auto packet = homeless.take(target)) {
      if (!send_packet(key, *std::move(packet), now)) outputs.push(Dropped{key});
    }
  }
}

Result<Ipv6Addresses> Engine::State::check_outgoing(const Buffer& packet) const {
  if (packet.size() > kMaxIpv6Packet) return Error{Errc::too_large, "IPv6 packet"};
  const auto addresses = Ipv6Addresses::of(packet);
  if (!addresses) return Error{Errc::malformed, "not an IPv6 packet"};
  if (!own.has(addresses->source)) return Error{Errc::invalid_argument, "IPv6 source is not ours"};
  return *addresses;
}

// `packet` has been checked.
Result<void> Engine::State::send_packet(const PublicKey& dest, Buffer&& packet, Time now) {
  learn(dest, now);
  packet.prepend({&kIpv6Payload, 1});
  auto sent = sessions.send(dest, std::move(packet), now);
  if (!sent) packet.drop_front(1);
  return sent;
}

Result<void> Engine::State::send_to_address(Buffer&& packet, Time now) {
  const auto addresses = check_outgoing(packet);
  if (!addresses) return addresses.error();
  if (!is_overlay(addresses->dest)) return Error{Errc::invalid_argument, "IPv6 destination is not in the overlay"};
  if (own.has(addresses->dest)) return Error{Errc::invalid_argument, "IPv6 destination is our own"};
  if (const auto key = keys.find_route(addresses->dest)) return send_packet(*key, std::move(packet), now);
  const auto target = partial_key_for(addresses->dest);
  switch (homeless.add(target, std::move(packet), now)) {
    case AddressWaiting::Added::no_room: return Error{Errc::would_block, "packets waiting for the key of an address"};
    case AddressWaiting::Added::waits_first: outputs.push(SendLookup{target}); break;
    case AddressWaiting::Added::waits: break;
  }
  return {};
}

Engine::Engine(const Config& config, const PrivateKey& key, Rng& rng, Duration unix_at_zero, Time /*now*/)
    : state_{std::make_unique<State>(config, key, rng, unix_at_zero)} {}

Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

void Engine::on_packet(const PublicKey& source, Buffer payload, Time now) {
  state_->sessions.on_packet(source, std::move(payload), now);
  state_->take_from_sessions(now);
  state_->follow_pings(now);
}

void Engine::on_path_found(const PublicKey& key, Time now) {
  if (key == state_->own_key) return;
  state_->sessions.on_path_found(key, now);
  state_->learn(key, now);
  const auto wanted = state_->keys.pinned_instead_of(key);
  if (wanted && !state_->sessions.is_open(*wanted)) {
    state_->outputs.push(KeyMismatch{*wanted, key});
    state_->pings.fail(*wanted, Error{Errc::key_mismatch, "peer key mismatch"});
  }
  state_->take_from_sessions(now);
  state_->follow_pings(now);
}

void Engine::on_tick(Time now) {
  state_->sessions.on_tick(now);
  while (const auto step = state_->homeless.next_step(now)) {
    for (std::size_t i = 0; i < step->given_up; ++i) state_->outputs.push(Dropped{step->target});
    if (step->lookup) state_->outputs.push(SendLookup{step->target});
  }
  state_->keys.expire(now);
  state_->take_from_sessions(now);
  state_->pings.on_tick(now);
  state_->follow_pings(now);
}

void Engine::open(const PublicKey& key, Time now) {
  if (key == state_->own_key) return;
  state_->open(key, now);
  state_->take_from_sessions(now);
  state_->follow_pings(now);
}

Result<PingId> Engine::ping(const PublicKey& key, Time deadline, Time now) {
  if (key == state_->own_key) return Error{Errc::invalid_argument, "the key is our own"};
  auto started = state_->pings.start(key, deadline, now);
  state_->follow_pings(now);
  return started;
}

bool Engine::is_open(const PublicKey& key) const { return state_->sessions.is_open(key); }

Result<void> Engine::send(const PublicKey& dest, Buffer&& packet, Time now) {
  if (dest == state_->own_key) return Error{Errc::invalid_argument, "IPv6 destination is our own"};
  const auto addresses = state_->check_outgoing(packet);
  if (!addresses) return addresses.error();
  if (!OwnAddresses::of(dest).has(addresses->dest)) {
    return Error{Errc::invalid_argument, "IPv6 destination is not the key's"};
  }
  auto sent = state_->send_packet(dest, std::move(packet), now);
  state_->take_from_sessions(now);
  return sent;
}

Result<void> Engine::send_to_address(Buffer&& packet, Time now) {
  auto sent = state_->send_to_address(std::move(packet), now);
  state_->take_from_sessions(now);
  return sent;
}

std::optional<PublicKey> Engine::key_of(const Address& address) const { return state_->keys.find(address); }

void Engine::answer_keys(const PublicKey& asker, std::uint8_t response_type, const std::vector<PublicKey>& keys,
                         Time now) {
  if (!state_->sessions.is_open(asker)) return;
  static_cast<void>(state_->sessions.send(asker, RemoteProtocol::key_list(response_type, keys), now).ok());
  state_->take_from_sessions(now);
}

void Engine::set_routing_entries(std::size_t count) noexcept { state_->remote.set_routing_entries(count); }

std::optional<Engine::Output> Engine::poll_output() { return state_->outputs.pop(); }

std::optional<Time> Engine::next_tick() const {
  std::optional<Time> next;
  for (const auto at : {state_->sessions.next_tick(), state_->homeless.next_due(), state_->keys.next_expiry(),
                        state_->pings.next_tick()}) {
    if (at && (!next || *at < *next)) next = at;
  }
  return next;
}

std::vector<Engine::SessionView> Engine::sessions(Time now) const {
  std::vector<SessionView> views;
  for (const auto* entry : state_->sessions.sessions().sorted()) {
    const auto& session = entry->session.state();
    views.push_back({.key = entry->key, .rx = session.rx, .tx = session.tx, .uptime = now - entry->created});
  }
  return views;
}

std::optional<Engine::SessionView> Engine::session(const PublicKey& key, Time now) const {
  const auto* entry = state_->sessions.sessions().find(key);
  if (entry == nullptr) return std::nullopt;
  const auto& session = entry->session.state();
  return SessionView{.key = key, .rx = session.rx, .tx = session.tx, .uptime = now - entry->created};
}

std::size_t Engine::session_count() const noexcept { return state_->sessions.sessions().size(); }

}  // namespace axl::e2e
