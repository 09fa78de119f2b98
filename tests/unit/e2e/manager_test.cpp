// The strict options and limits of the session layer, each against the reference's behaviour.
#include <catch2/catch_test_macros.hpp>
#include <limits>

#include "e2e/session_manager.hpp"
#include "support.hpp"

using namespace axl;
using namespace axl::test;
using namespace std::chrono_literals;
using axl::e2e::PacketType;
using axl::e2e::SessionManager;

namespace {

constexpr Time t0{};
constexpr Duration kUnix{1'734'000'000s};

struct Node {
  explicit Node(std::uint64_t number, e2e::Config wanted = {})
      : config{std::move(wanted)},
        private_key{numbered_key(number)},
        key{private_key.public_key()},
        rng{number},
        manager{config, private_key, rng, kUnix} {}

  e2e::Config config;
  PrivateKey private_key;
  PublicKey key;
  crypto::SeededRng rng;
  SessionManager manager;
};

Buffer payload_of(std::string_view text) { return Buffer::copy_of(as_bytes(text), Buffer::kHeadroom); }

std::vector<SessionManager::Send> sent_by(Node& node) {
  auto outputs = drain(node.manager);
  return only<SessionManager::Send>(outputs);
}

std::size_t count(const std::vector<SessionManager::Send>& sent, PacketType type) {
  return static_cast<std::size_t>(std::ranges::count_if(
      sent, [&](const auto& packet) { return packet.packet.data()[0] == static_cast<std::byte>(type); }));
}

// Carries every packet between two nodes until both are silent; returns the texts delivered to each.
struct Heard {
  std::vector<std::string> a;
  std::vector<std::string> b;
  bool a_up = false;
  bool b_up = false;
};
Heard settle(Node& a, Node& b, Time now) {
  Heard heard;
  for (bool busy = true; busy;) {
    busy = false;
    for (auto* from : {&a, &b}) {
      auto* to = from == &a ? &b : &a;
      for (auto& output : drain(from->manager)) {
        busy = true;
        if (auto* sent = std::get_if<SessionManager::Send>(&output)) {
          if (sent->dest == to->key) to->manager.on_packet(from->key, std::move(sent->packet), now);
        } else if (auto* got = std::get_if<SessionManager::Deliver>(&output)) {
          (from == &a ? heard.a : heard.b).emplace_back(as_text(got->payload));
        } else if (std::holds_alternative<SessionManager::Up>(output)) {
          (from == &a ? heard.a_up : heard.b_up) = true;
        }
      }
    }
  }
  return heard;
}

// An Init or Ack made by hand.
Buffer handshake_from(Node& from, const PublicKey& to, std::uint64_t seq, PacketType type = PacketType::init) {
  const auto keys = e2e::AnnouncedKeys::generate(from.rng);
  auto packet = e2e::seal_handshake(
      type, {.current = keys.current.public_key, .next = keys.next.public_key, .key_seq = 0, .seq = seq},
      from.private_key, *crypto::to_x25519(to), from.rng);
  REQUIRE(packet);
  return *std::move(packet);
}

Buffer stray_traffic() {
  Buffer packet{60, 0};
  std::ranges::fill(packet.mutable_span(), std::byte{0});
  packet.data()[0] = std::byte{3};
  return packet;
}

}  // namespace

TEST_CASE("sessions: what waits goes out in order behind the Ack, none of it lost", "[e2e]") {
  Node a{1};
  Node b{2};
  std::vector<std::string> words;
  for (int i = 0; i < 100; ++i) {
    words.push_back("word " + std::to_string(i));
    REQUIRE(a.manager.send(b.key, payload_of(words.back()), t0));
  }
  auto outputs = drain(a.manager);
  auto init = only<SessionManager::Send>(outputs);
  REQUIRE(init.size() == 1);  // one Init for all of them
  CHECK(count(init, PacketType::init) == 1);
  b.manager.on_packet(a.key, std::move(init[0].packet), t0);
  const auto heard = settle(a, b, t0);
  CHECK(heard.b == words);
  CHECK(heard.a_up);
  CHECK(heard.b_up);
  CHECK(a.manager.waiting().bytes() == 0);
  CHECK(a.manager.openings().size() == 0);
}

// Both have sent their Init before either hears the other's.
Heard cross(const e2e::Config& config, Time at_a = t0, Time at_b = t0) {
  Node a{1, config};
  Node b{2, config};
  for (auto* node : {&a, &b}) REQUIRE(node->manager.open(node == &a ? b.key : a.key, t0));
  auto from_a = sent_by(a);
  auto from_b = sent_by(b);
  a.manager.on_packet(b.key, std::move(from_b.at(0).packet), at_a);
  b.manager.on_packet(a.key, std::move(from_a.at(0).packet), at_b);
  for (const auto* word : {"one", "two"}) {
    REQUIRE(a.manager.send(b.key, payload_of(word), at_a));
    REQUIRE(b.manager.send(a.key, payload_of(word), at_b));
  }
  return settle(a, b, std::max(at_a, at_b));
}

TEST_CASE("sessions: openings that cross lose nothing, the reference's drop what follows the first packet", "[e2e]") {
  const std::vector<std::string> words{std::string(1, '\0'), "one", "two"};
  const auto heard = cross({});
  CHECK(heard.a == words);
  CHECK(heard.b == words);

  auto lax = e2e::Config{};
  lax.strict_crossing = false;
  const auto lost = cross(lax);
  CHECK(lost.a.size() < words.size());
  CHECK(lost.b.size() < words.size());
}

TEST_CASE("sessions: openings that cross lose nothing when a second of the clock begins meanwhile", "[e2e]") {
  const std::vector<std::string> words{std::string(1, '\0'), "one", "two"};
  for (const auto at_a : {t0, t0 + 1s}) {
    for (const auto at_b : {t0, t0 + 1s}) {
      const auto heard = cross({}, at_a, at_b);
      CHECK(heard.a == words);
      CHECK(heard.b == words);
    }
  }
}

TEST_CASE("sessions: with the reference's buffer only the newest payload survives", "[e2e]") {
  auto config = e2e::Config{};
  config.strict_waiting = false;
  Node a{1, config};
  Node b{2};
  for (const auto* word : {"one", "two", "three"}) REQUIRE(a.manager.send(b.key, payload_of(word), t0));
  const auto heard = settle(a, b, t0);
  CHECK(heard.b == std::vector<std::string>{"three"});
}

TEST_CASE("sessions: open() brings up both sides with a dummy and without user data", "[e2e]") {
  Node a{1};
  Node b{2};
  REQUIRE(a.manager.open(b.key, t0));
  auto outputs = drain(a.manager);
  REQUIRE(outputs.size() == 2);
  REQUIRE(std::holds_alternative<SessionManager::Lookup>(outputs[0]));
  CHECK(std::get<SessionManager::Lookup>(outputs[0]).key == b.key);
  REQUIRE(a.manager.open(b.key, t0));  // under way already
  CHECK(drain(a.manager).empty());
  b.manager.on_packet(a.key, std::move(std::get<SessionManager::Send>(outputs[1]).packet), t0);
  const auto heard = settle(a, b, t0);
  CHECK(heard.a_up);
  CHECK(heard.b_up);
  CHECK(heard.b == std::vector<std::string>{std::string(1, '\0')});
  CHECK(b.manager.sessions().find(a.key)->confirmed);
  REQUIRE(b.manager.send(a.key, payload_of("hello"), t0));
  CHECK(settle(a, b, t0).a == std::vector<std::string>{"hello"});
  REQUIRE(a.manager.open(b.key, t0));
  CHECK(settle(a, b, t0).a_up);  // said again at once
}

TEST_CASE("sessions: Init and lookup are repeated every second, and packets given up after a minute", "[e2e]") {
  Node a{1};
  const auto dest = numbered_key(2).public_key();
  REQUIRE(a.manager.send(dest, payload_of("one"), t0));
  REQUIRE(a.manager.send(dest, payload_of("two"), t0 + 500ms));
  std::size_t inits = sent_by(a).size();
  std::size_t lookups = 0;
  std::vector<Time> given_up;
  while (const auto at = a.manager.next_tick()) {
    a.manager.on_tick(*at);
    auto outputs = drain(a.manager);
    for (const auto& output : outputs) {
      if (std::holds_alternative<SessionManager::GivenUp>(output)) given_up.push_back(*at);
      if (std::holds_alternative<SessionManager::Lookup>(output)) ++lookups;
    }
    inits += only<SessionManager::Send>(outputs).size();
    REQUIRE(*at < t0 + 2min);
  }
  CHECK(given_up == std::vector<Time>{t0 + 60s, t0 + 61s});
  CHECK(inits == 61);
  CHECK(lookups == 60);
  CHECK(a.manager.openings().size() == 0);
}

TEST_CASE("sessions: a path found restarts the second until the next Init, once", "[e2e]") {
  Node a{1};
  const auto dest = numbered_key(2).public_key();
  REQUIRE(a.manager.open(dest, t0));
  a.manager.on_path_found(dest, t0 + 900ms);
  CHECK(a.manager.next_tick() == t0 + 1'900ms);
  a.manager.on_path_found(dest, t0 + 1'800ms);  // must not put it off for ever
  CHECK(a.manager.next_tick() == t0 + 1'900ms);
}

TEST_CASE("sessions: strict_init_seq heals a lost Ack within a second, the reference's way does not", "[e2e]") {
  for (const bool strict : {true, false}) {
    e2e::Config config;
    config.strict_init_seq = strict;
    Node a{1, config};
    Node b{2};
    REQUIRE(a.manager.send(b.key, payload_of("word"), t0));
    auto init = sent_by(a);
    REQUIRE(init.size() == 1);
    b.manager.on_packet(a.key, std::move(init[0].packet), t0);
    CHECK(count(sent_by(b), PacketType::ack) == 1);  // and this is lost
    a.manager.on_tick(t0 + 1s);
    const auto heard = settle(a, b, t0 + 1s);
    CHECK(heard.b.size() == (strict ? 1 : 0));
  }
}

TEST_CASE("sessions: the seq of a repeated Init changes at most once a second", "[e2e]") {
  Node a{1};
  Node b{2};
  REQUIRE(a.manager.open(b.key, t0 + 900ms));
  const auto first = a.manager.openings().find(b.key)->seq;
  CHECK(first == 1'734'000'000);
  a.manager.on_tick(t0 + 1'900ms);
  CHECK(a.manager.openings().find(b.key)->seq == first + 1);
}

TEST_CASE("sessions: strict_seq_zero refuses an Init with seq 0, which the reference cannot update", "[e2e]") {
  for (const bool strict : {true, false}) {
    e2e::Config config;
    config.strict_seq_zero = strict;
    Node a{1};
    Node b{2, config};
    b.manager.on_packet(a.key, handshake_from(a, b.key, 0), t0);
    CHECK(b.manager.is_open(a.key) != strict);
    b.manager.on_packet(a.key, handshake_from(a, b.key, 1'734'000'000), t0);
    CHECK(count(sent_by(b), PacketType::ack) == (strict ? 1 : 0));
  }
}

TEST_CASE("sessions: stray Traffic is answered once a second for a source and within the limit for all", "[e2e]") {
  Node b{2};
  const auto from = [&](std::uint64_t number, Time now) {
    b.manager.on_packet(numbered_key(number).public_key(), stray_traffic(), now);
    return sent_by(b).size();
  };
  CHECK(from(10, t0) == 1);
  CHECK(from(10, t0) == 0);
  CHECK(from(10, t0 + 999ms) == 0);
  CHECK(from(10, t0 + 1s) == 1);
  std::size_t answered = 0;
  for (std::uint64_t i = 100; i < 350; ++i) answered += from(i, t0 + 10s);
  CHECK(answered == 100);
  CHECK(b.manager.sessions().size() == 0);
  CHECK(b.manager.openings().size() == 0);

  Node reference{3, e2e::Config::reference()};
  for (int i = 0; i < 5; ++i) reference.manager.on_packet(numbered_key(10).public_key(), stray_traffic(), t0);
  CHECK(sent_by(reference).size() == 5);
}

TEST_CASE("sessions: Traffic that does not open is answered once in a second of the clock", "[e2e]") {
  for (const bool limited : {true, false}) {
    e2e::Config config;
    config.limit_session_inits = limited;
    Node a{1};
    Node b{2, config};
    REQUIRE(a.manager.open(b.key, t0));
    settle(a, b, t0);
    std::size_t inits = 0;
    for (int i = 0; i < 10; ++i) {
      auto garbage = stray_traffic();
      garbage.data()[1] = std::byte{99};
      b.manager.on_packet(a.key, std::move(garbage), t0 + i * 50ms);
      inits += count(sent_by(b), PacketType::init);
    }
    CHECK(inits == (limited ? 1 : 10));
    b.manager.on_packet(a.key, stray_traffic(), t0 + 1s);
    CHECK(count(sent_by(b), PacketType::init) == 1);
  }
}

TEST_CASE("sessions: verifications are rationed, and strangers do not use up what known keys have", "[e2e]") {
  e2e::Config config;
  config.verifications_per_source = {1, 2};
  config.verifications_of_strangers = {4, 4};
  config.verifications_of_known = {2, 2};
  Node a{1};
  Node b{2, config};
  REQUIRE(a.manager.open(b.key, t0));
  settle(a, b, t0);
  REQUIRE(b.manager.is_open(a.key));
  std::size_t made = 0;
  for (std::uint64_t i = 10; i < 20; ++i) {
    Node stranger{i};
    b.manager.on_packet(stranger.key, handshake_from(stranger, b.key, 1'734'000'000), t0 + 1s);
    made += b.manager.is_open(stranger.key) ? 1 : 0;
  }
  CHECK(made == 4);
  drain(b.manager);
  b.manager.on_packet(a.key, handshake_from(a, b.key, 1'734'000'100), t0 + 1s);
  CHECK(count(sent_by(b), PacketType::ack) == 1);
  // Two at once, counting the Ack that opened the session: the third of this source is not looked at.
  b.manager.on_packet(a.key, handshake_from(a, b.key, 1'734'000'101), t0 + 1s);
  b.manager.on_packet(a.key, handshake_from(a, b.key, 1'734'000'102), t0 + 1s);
  CHECK(count(sent_by(b), PacketType::ack) <= 1);
  b.manager.on_packet(a.key, handshake_from(a, b.key, 1'734'000'103), t0 + 3s);
  CHECK(count(sent_by(b), PacketType::ack) == 1);
}

TEST_CASE("sessions: strict_strayed_inits brings back a session lost on one side at once, the reference later",
          "[e2e]") {
  for (const bool strict : {true, false}) {
    e2e::Config config;
    config.strict_strayed_inits = strict;
    Node a{1};
    Node b{2, config};
    REQUIRE(a.manager.open(b.key, t0));
    settle(a, b, t0);
    REQUIRE(b.manager.forget_session(a.key));
    const auto now = t0 + 5s;
    REQUIRE(a.manager.send(b.key, payload_of("lost"), now));
    CHECK(settle(a, b, now).b.empty());
    CHECK(b.manager.is_open(a.key));
    REQUIRE(a.manager.send(b.key, payload_of("word"), now));
    CHECK(settle(a, b, now).b.size() == (strict ? 1 : 0));
    REQUIRE(b.manager.send(a.key, payload_of("answer"), now));
    CHECK(settle(a, b, now).a.size() == (strict ? 1 : 0));
  }
}

TEST_CASE("sessions: an opening takes over the keys of a strayed Init, and repeats its own for stray Traffic",
          "[e2e]") {
  Node a{1};
  Node b{2};
  REQUIRE(a.manager.open(b.key, t0));
  settle(a, b, t0);
  REQUIRE(b.manager.forget_session(a.key));
  REQUIRE(a.manager.send(b.key, payload_of("lost"), t0 + 5s));
  auto lost = sent_by(a);
  REQUIRE(lost.size() == 1);
  b.manager.on_packet(a.key, std::move(lost[0].packet), t0 + 5s);
  REQUIRE(b.manager.send(a.key, payload_of("answer"), t0 + 5s));  // the Ack to the strayed Init is still on its way
  CHECK(settle(a, b, t0 + 5s).a == std::vector<std::string>{"answer"});

  REQUIRE(b.manager.forget_session(a.key));
  REQUIRE(b.manager.open(a.key, t0 + 10s));
  CHECK(count(sent_by(b), PacketType::init) == 1);  // and this is lost
  REQUIRE(a.manager.send(b.key, payload_of("lost"), t0 + 10s));
  CHECK(settle(a, b, t0 + 10s).b_up);
  REQUIRE(a.manager.send(b.key, payload_of("word"), t0 + 10s));
  CHECK(settle(a, b, t0 + 10s).b == std::vector<std::string>{"word"});
}

TEST_CASE("sessions: keys of strayed Inits are bounded and go after ten seconds", "[e2e]") {
  e2e::StrayedInits strayed{2, 10s};
  crypto::SeededRng rng{1};
  for (std::uint64_t i = 0; i < 3; ++i) {
    strayed.put(numbered_key(i).public_key(), e2e::AnnouncedKeys::generate(rng), t0 + i * 1s);
  }
  CHECK(strayed.size() == 2);
  CHECK_FALSE(strayed.take(numbered_key(0).public_key()));
  CHECK(strayed.take(numbered_key(1).public_key()));
  CHECK_FALSE(strayed.take(numbered_key(1).public_key()));
  CHECK(strayed.next_expiry() == t0 + 12s);
  strayed.expire(t0 + 12s);
  CHECK(strayed.size() == 0);
}

TEST_CASE("sessions: their number is bounded, and so is that of openings", "[e2e]") {
  e2e::Config config;
  config.max_sessions = 8;
  config.max_openings = 4;
  Node b{2, config};
  for (std::uint64_t i = 10; i < 30; ++i) {
    Node stranger{i};
    b.manager.on_packet(stranger.key, handshake_from(stranger, b.key, 1'734'000'000), t0);
  }
  CHECK(b.manager.sessions().size() == 8);
  for (std::uint64_t i = 30; i < 34; ++i) CHECK(b.manager.open(numbered_key(i).public_key(), t0));
  const auto refused = b.manager.open(numbered_key(40).public_key(), t0);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().is(Errc::limit_reached));
}

TEST_CASE("sessions: a full waiting room refuses one key's packets and still opens sessions with others", "[e2e]") {
  e2e::Config config;
  config.max_waiting_per_key = 1'000;
  config.max_waiting = 1'500;
  Node a{1, config};
  Node b{2};
  const auto dead = numbered_key(3).public_key();
  Buffer big{1'000, Buffer::kHeadroom};
  std::ranges::fill(big.mutable_span(), std::byte{7});
  REQUIRE(a.manager.send(dead, std::move(big), t0));
  auto word = payload_of("word");
  const auto refused = a.manager.send(dead, std::move(word), t0);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().is(Errc::would_block));
  CHECK(as_text(word) == "word");  // still the caller's

  Buffer other{800, Buffer::kHeadroom};
  std::ranges::fill(other.mutable_span(), std::byte{7});
  const auto no_room = a.manager.send(b.key, std::move(other), t0);
  REQUIRE_FALSE(no_room);
  CHECK(no_room.error().is(Errc::would_block));
  CHECK(settle(a, b, t0).a_up);  // the session comes up all the same
  CHECK(a.manager.send(b.key, std::move(other), t0));
  CHECK(settle(a, b, t0).b.size() == 1);
}

TEST_CASE("sessions: none with ourselves, with a key that is no point, or with keys that make no secret", "[e2e]") {
  Node a{1};
  Node b{2};
  CHECK_FALSE(a.manager.open(a.key, t0));
  a.manager.on_packet(a.key, handshake_from(a, a.key, 1'734'000'000), t0);
  CHECK_FALSE(a.manager.is_open(a.key));
  std::array<std::byte, 32> bad{};
  bad[0] = std::byte{1};  // the neutral element
  const auto refused = a.manager.send(PublicKey{bad}, payload_of("word"), t0);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().is(Errc::crypto));
  a.manager.on_packet(PublicKey{bad}, stray_traffic(), t0);
  CHECK(drain(a.manager).empty());

  const auto zero_keys = [&](std::uint64_t seq) {
    auto packet = e2e::seal_handshake(PacketType::init, {.current = {}, .next = {}, .key_seq = 0, .seq = seq},
                                      b.private_key, *crypto::to_x25519(a.key), b.rng);
    REQUIRE(packet);
    return *std::move(packet);
  };
  a.manager.on_packet(b.key, zero_keys(1'734'000'000), t0);
  CHECK_FALSE(a.manager.is_open(b.key));
  REQUIRE(b.manager.open(a.key, t0));
  settle(a, b, t0);
  a.manager.on_packet(b.key, zero_keys(1'734'000'500), t0);  // leaves a good session as it was
  REQUIRE(b.manager.send(a.key, payload_of("word"), t0));
  CHECK(settle(a, b, t0).a == std::vector<std::string>{"word"});
}

TEST_CASE("sessions: end a minute after the last packet either way", "[e2e]") {
  Node a{1};
  Node b{2};
  REQUIRE(a.manager.open(b.key, t0));
  settle(a, b, t0);
  REQUIRE(a.manager.send(b.key, payload_of("word"), t0 + 30s));
  settle(a, b, t0 + 30s);
  for (auto* node : {&a, &b}) {
    CHECK(node->manager.next_tick() == t0 + 90s);
    node->manager.on_tick(t0 + 90s - 1ns);
    CHECK(node->manager.sessions().size() == 1);
    node->manager.on_tick(t0 + 90s);
    CHECK(node->manager.sessions().size() == 0);
    CHECK_FALSE(node->manager.next_tick());
    CHECK(drain(node->manager).empty());
  }
}

TEST_CASE("sessions: replayed, reordered and altered packets deliver nothing twice and nothing wrong", "[e2e]") {
  Node a{1};
  Node b{2};
  REQUIRE(a.manager.open(b.key, t0));
  settle(a, b, t0);
  std::vector<SessionManager::Send> sent;
  for (int i = 0; i < 5; ++i) {
    REQUIRE(a.manager.send(b.key, payload_of(std::to_string(i)), t0));
    auto one = sent_by(a);
    REQUIRE(one.size() == 1);
    sent.push_back(std::move(one[0]));
  }
  std::vector<std::string> heard;
  const auto give = [&](const SessionManager::Send& packet, std::size_t flip = SIZE_MAX) {
    auto copy = Buffer::copy_of(packet.packet);
    if (flip < copy.size()) copy.data()[flip] ^= std::byte{0x10};
    b.manager.on_packet(a.key, std::move(copy), t0);
    for (auto& output : drain(b.manager)) {
      if (auto* got = std::get_if<SessionManager::Deliver>(&output)) heard.emplace_back(as_text(got->payload));
    }
  };
  give(sent[1]);
  give(sent[0]);  // late
  give(sent[1]);  // again
  for (std::size_t i = 1; i < sent[2].packet.size(); ++i) give(sent[2], i);
  give(sent[2]);
  give(sent[4]);
  give(sent[3]);
  CHECK(heard == std::vector<std::string>{"1", "2", "4"});
}

TEST_CASE("sessions: a payload past the limit is refused, the largest passes", "[e2e]") {
  Node a{1};
  Node b{2};
  REQUIRE(a.manager.open(b.key, t0));
  settle(a, b, t0);
  Buffer large{e2e::kMaxPayload, Buffer::kHeadroom};
  std::ranges::fill(large.mutable_span(), std::byte{1});
  CHECK(a.manager.send(b.key, std::move(large), t0));
  CHECK(settle(a, b, t0).b.at(0).size() == e2e::kMaxPayload);
  Buffer larger{e2e::kMaxPayload + 1, Buffer::kHeadroom};
  const auto refused = a.manager.send(b.key, std::move(larger), t0);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().is(Errc::too_large));
}
