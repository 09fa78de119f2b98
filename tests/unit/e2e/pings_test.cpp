// Round trips between real engines on a network in virtual time.
#include "e2e/pings.hpp"

#include <catch2/catch_test_macros.hpp>
#include <functional>
#include <map>
#include <memory>
#include <set>

#include "e2e/engine.hpp"
#include "support.hpp"

using namespace axl;
using namespace axl::test;
using namespace std::chrono_literals;
using e2e::Engine;
using e2e::PingId;
using e2e::Pings;
using e2e::Question;

namespace {

constexpr Time t0{};

// Two engines that reach each other in `delay`; what `loses` says is lost.
class Pair {
 public:
  explicit Pair(const e2e::Config& config = {}) : a_{1, config}, b_{2, config} {}

  [[nodiscard]] PublicKey b() const { return b_.key; }
  [[nodiscard]] Engine& engine() { return a_.engine; }
  [[nodiscard]] Time now() const { return now_; }

  std::optional<Engine::PingDone> run_until_done(Time limit) {
    collect();
    while (done_.empty()) {
      auto next = limit;
      for (auto* node : {&a_, &b_}) {
        if (const auto tick = node->engine.next_tick()) next = std::min(next, *tick);
      }
      if (!flights_.empty()) next = std::min(next, flights_.begin()->first);
      if (next >= limit) break;
      now_ = std::max(now_, next);
      for (auto* node : {&a_, &b_}) {
        if (const auto tick = node->engine.next_tick(); tick && *tick <= now_) node->engine.on_tick(now_);
      }
      while (!flights_.empty() && flights_.begin()->first <= now_) {
        auto [to_a, packet] = std::move(flights_.begin()->second);
        flights_.erase(flights_.begin());
        (to_a ? a_ : b_).engine.on_packet(to_a ? b_.key : a_.key, std::move(packet), now_);
        collect();
      }
      collect();
    }
    if (done_.empty()) return std::nullopt;
    auto first = std::move(done_.front());
    done_.pop_front();
    return first;
  }

  Duration delay{40ms};
  bool reachable = true;
  std::function<bool(bool to_a)> loses = [](bool) { return false; };

 private:
  struct Node {
    Node(std::uint64_t number, const e2e::Config& config)
        : key{numbered_key(number).public_key()}, rng{number}, engine{config, numbered_key(number), rng, 1h, t0} {}
    PublicKey key;
    crypto::SeededRng rng;
    Engine engine;
  };

  void collect() {
    for (auto* node : {&a_, &b_}) {
      while (auto output = node->engine.poll_output()) {
        const bool from_a = node == &a_;
        if (auto* packet = std::get_if<Engine::SendPacket>(&*output)) {
          if (reachable && !loses(!from_a)) {
            flights_.emplace(now_ + delay, std::pair{!from_a, std::move(packet->payload)});
          }
        } else if (std::holds_alternative<Engine::SendLookup>(*output)) {
          if (reachable) node->engine.on_path_found(from_a ? b_.key : a_.key, now_);
        } else if (auto* ended = std::get_if<Engine::PingDone>(&*output)) {
          done_.push_back(std::move(*ended));
        }
      }
    }
  }

  Node a_;
  Node b_;
  Time now_ = t0;
  std::multimap<Time, std::pair<bool, Buffer>> flights_;
  std::deque<Engine::PingDone> done_;
};

std::vector<Pings::Done> ended(Pings& pings) {
  std::vector<Pings::Done> all;
  while (auto done = pings.next_done()) all.push_back(*std::move(done));
  return all;
}

const PublicKey kPeer = numbered_key(7).public_key();

}  // namespace

TEST_CASE("pings: a round trip is that of the question, not of the search for the peer", "[e2e]") {
  Pair pair;
  const auto id = pair.engine().ping(pair.b(), t0 + 30s, t0);
  REQUIRE(id);
  const auto first = pair.run_until_done(t0 + 30s);
  REQUIRE(first);
  CHECK(first->id == *id);
  CHECK(first->round_trip.value() == 80ms);
  CHECK(pair.now() > t0 + 80ms);  // the session was opened first
  pair.delay = 7ms;
  const auto before = pair.now();
  REQUIRE(pair.engine().ping(pair.b(), pair.now() + 30s, pair.now()));
  CHECK(pair.run_until_done(pair.now() + 30s)->round_trip.value() == 14ms);
  CHECK(pair.now() == before + 14ms);
}

TEST_CASE("pings: a lost answer is asked for again, and costs nothing in the result", "[e2e]") {
  Pair pair;
  REQUIRE(pair.engine().ping(pair.b(), t0 + 30s, t0));
  REQUIRE(pair.run_until_done(t0 + 30s));
  int lost = 0;
  pair.loses = [&](bool to_a) { return to_a && lost++ < 2; };
  const auto before = pair.now();
  REQUIRE(pair.engine().ping(pair.b(), before + 30s, before));
  CHECK(pair.run_until_done(before + 30s)->round_trip.value() == 80ms);
  CHECK(pair.now() == before + 6s + 80ms);
}

TEST_CASE("pings: many in a row are paced, and none is lost to the other side's ration", "[e2e]") {
  Pair pair;
  const auto begun = pair.now();
  for (int i = 0; i < 40; ++i) {
    REQUIRE(pair.engine().ping(pair.b(), pair.now() + 30s, pair.now()));
    const auto before = pair.now();
    REQUIRE(pair.run_until_done(pair.now() + 30s)->round_trip.value() == 80ms);
    CHECK(pair.now() - before < 1s);
  }
  CHECK(pair.now() - begun > 10s);
}

TEST_CASE("pings: nobody there ends at the deadline", "[e2e]") {
  Pair pair;
  pair.reachable = false;
  REQUIRE(pair.engine().ping(pair.b(), t0 + 3s, t0));
  const auto done = pair.run_until_done(t0 + 10s);
  REQUIRE(done);
  CHECK(done->round_trip.error().is(Errc::unreachable));
  CHECK(pair.now() == t0 + 3s);
}

TEST_CASE("pings: another key at that address is a mismatch", "[e2e]") {
  const auto key = numbered_key(2).public_key();
  std::array<std::byte, PublicKey::kSize> twin{};
  std::ranges::copy(key.bytes(), twin.begin());
  int mismatches = 0;
  for (unsigned last = 0; last < 64; ++last) {
    twin[PublicKey::kSize - 1] = static_cast<std::byte>(last);
    if (PublicKey{twin} == key) continue;
    Pair pair;
    REQUIRE(Address::of(PublicKey{twin}) == Address::of(pair.b()));
    REQUIRE(pair.engine().ping(PublicKey{twin}, t0 + 1s, t0));
    const auto done = pair.run_until_done(t0 + 2s);
    REQUIRE(done);
    REQUIRE_FALSE(done->round_trip.ok());
    // About every second text of 64 digits is no key at all: there is nobody behind it.
    if (done->round_trip.error().is(Errc::key_mismatch)) {
      ++mismatches;
      CHECK(pair.now() == t0);
    } else {
      CHECK(done->round_trip.error().is(Errc::unreachable));
    }
  }
  CHECK(mismatches > 0);
}

TEST_CASE("pings: our own key is refused", "[e2e]") {
  Pair pair;
  CHECK(pair.engine().ping(numbered_key(1).public_key(), t0 + 1s, t0).error().is(Errc::invalid_argument));
}

TEST_CASE("pings: a late answer is not taken for the next one", "[e2e]") {
  Pings pings{{}};
  REQUIRE(pings.start(kPeer, t0 + 60s, t0));
  REQUIRE(pings.next_reach());
  CHECK(pings.question_for(kPeer) == Question::self);
  pings.asked(kPeer, t0);
  REQUIRE(pings.next_tick() == t0 + 2s);
  pings.on_tick(t0 + 2s);
  REQUIRE(pings.next_reach());
  CHECK(pings.question_for(kPeer) == Question::node_info);
  pings.asked(kPeer, t0 + 2s);
  pings.on_answer(kPeer, Question::self, t0 + 2'100ms);
  const auto done = ended(pings);
  REQUIRE(done.size() == 1);
  CHECK(done[0].round_trip.value() == 2'100ms);
}

TEST_CASE("pings: answers that nobody asked for change nothing", "[e2e]") {
  Pings pings{{}};
  pings.on_answer(kPeer, Question::self, t0);
  REQUIRE(pings.start(kPeer, t0 + 60s, t0));
  pings.on_answer(kPeer, Question::self, t0);
  pings.on_answer(numbered_key(8).public_key(), Question::self, t0);
  CHECK(ended(pings).empty());
  CHECK(pings.under_way() == 1);
}

TEST_CASE("pings: those of one key share a question, their number is bounded", "[e2e]") {
  Pings pings{{.max_pings = 3}};
  const auto first = pings.start(kPeer, t0 + 1s, t0);
  const auto second = pings.start(kPeer, t0 + 60s, t0);
  const auto third = pings.start(kPeer, t0 + 60s, t0);
  REQUIRE((first && second && third));
  CHECK(pings.start(numbered_key(8).public_key(), t0 + 60s, t0).error().is(Errc::limit_reached));
  CHECK(pings.next_reach());
  CHECK_FALSE(pings.next_reach());
  pings.asked(kPeer, t0);
  pings.on_tick(t0 + 1s);
  auto done = ended(pings);
  REQUIRE(done.size() == 1);
  CHECK(done[0].id == *first);
  CHECK(done[0].round_trip.error().is(Errc::timed_out));
  pings.on_answer(kPeer, Question::self, t0 + 1'500ms);
  done = ended(pings);
  REQUIRE(done.size() == 2);
  CHECK(done[0].id == *second);
  CHECK(done[1].id == *third);
  CHECK(done[1].round_trip.value() == 1'500ms);
  CHECK(pings.under_way() == 0);
  CHECK_FALSE(pings.next_tick());
}
