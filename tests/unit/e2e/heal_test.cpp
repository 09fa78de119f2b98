// Two nodes across a network that loses, delays and reorders, and that forget what they knew: once it behaves, two-way
// traffic passes again within two seconds.
#include <catch2/catch_test_macros.hpp>
#include <map>

#include "e2e/session_manager.hpp"
#include "support.hpp"

using namespace axl;
using namespace axl::test;
using namespace std::chrono_literals;
using axl::e2e::SessionManager;

namespace {

class Simulation {
 public:
  Simulation(std::uint64_t seed, const e2e::Config& a, const e2e::Config& b)
      : rng_{seed},
        a_{a, numbered_key(1), seed * 2, unix_at_zero()},
        b_{b, numbered_key(2), seed * 2 + 1, unix_at_zero()} {}

  void run_badly_until(Time end) { run(end, true); }
  void run_well_until(Time end) { run(end, false); }

  // How many words sent between the two times have not come to the other side, either way.
  [[nodiscard]] std::size_t missing(Time from, Time to) const {
    std::size_t missing = 0;
    for (const auto* node : {&a_, &b_}) {
      const auto& other = node == &a_ ? b_ : a_;
      for (const auto& [number, at] : node->said) {
        if (at >= from && at < to && !other.heard.contains(number)) ++missing;
      }
    }
    return missing;
  }
  [[nodiscard]] bool none_twice() const { return a_.none_twice && b_.none_twice; }

 private:
  struct Node {
    Node(const e2e::Config& wanted, const PrivateKey& private_key, std::uint64_t seed, Duration unix_at_zero)
        : config{wanted}, key{private_key.public_key()}, rng{seed}, manager{config, private_key, rng, unix_at_zero} {}
    e2e::Config config;
    PublicKey key;
    crypto::SeededRng rng;
    SessionManager manager;
    std::uint64_t next = 0;
    std::map<std::uint64_t, Time> said;
    std::map<std::uint64_t, Time> heard;
    bool none_twice = true;
  };
  struct Flight {
    bool to_a = false;
    Buffer packet;
  };

  Duration unix_at_zero() { return 1'734'000'000s + std::chrono::milliseconds{random(1'000)}; }
  std::uint64_t random(std::uint64_t below) { return rng_.next_u64() % below; }

  void run(Time end, bool badly) {
    for (; now_ < end; now_ += 10ms) {
      while (!flights_.empty() && flights_.begin()->first <= now_) {
        auto flight = std::move(flights_.begin()->second);
        flights_.erase(flights_.begin());
        auto& to = flight.to_a ? a_ : b_;
        to.manager.on_packet(flight.to_a ? b_.key : a_.key, std::move(flight.packet), now_);
        carry(badly);
      }
      for (auto* node : {&a_, &b_}) {
        auto& other = node == &a_ ? b_ : a_;
        const auto due = node->manager.next_tick();
        if (due && *due <= now_) node->manager.on_tick(now_);
        if (random(10) == 0) say(*node, other.key);
        if (badly && random(300) == 0) node->manager.forget_session(other.key);
        if (badly && random(300) == 0) node->manager.forget_opening(other.key);
        carry(badly);
      }
    }
  }

  void say(Node& node, const PublicKey& to) {
    const auto number = node.next++;
    Buffer word{8, Buffer::kHeadroom};
    for (std::size_t i = 0; i < 8; ++i) word.data()[i] = static_cast<std::byte>(number >> (8 * i));
    if (node.manager.send(to, std::move(word), now_)) node.said[number] = now_;
  }

  void carry(bool badly) {
    for (auto* node : {&a_, &b_}) {
      while (auto output = node->manager.poll_output()) {
        if (auto* sent = std::get_if<SessionManager::Send>(&*output)) {
          if (badly && random(100) < 30) continue;
          const auto delay = badly ? std::chrono::milliseconds{random(1'500)} : 20ms;
          flights_.emplace(now_ + delay, Flight{.to_a = node == &b_, .packet = std::move(sent->packet)});
        } else if (auto* got = std::get_if<SessionManager::Deliver>(&*output)) {
          if (got->payload.size() != 8) continue;  // a dummy
          std::uint64_t number = 0;
          for (std::size_t i = 0; i < 8; ++i) {
            number |= std::to_integer<std::uint64_t>(got->payload.data()[i]) << (8 * i);
          }
          if (!node->heard.emplace(number, now_).second) node->none_twice = false;
        }
      }
    }
  }

  crypto::SeededRng rng_;
  Node a_;
  Node b_;
  std::multimap<Time, Flight> flights_;
  Time now_{};
};

}  // namespace

TEST_CASE("healing: after loss, reordering and lost state, two-way traffic passes within two seconds", "[e2e]") {
  const e2e::Config strict;
  const auto reference = e2e::Config::reference();
  struct Case {
    const char* name;
    const e2e::Config& a;
    const e2e::Config& b;
  };
  for (const auto& [name, a, b] :
       {Case{"ours and ours", strict, strict}, Case{"ours and the reference", strict, reference},
        Case{"the reference twice", reference, reference}}) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
      INFO(name << ", seed " << seed);
      Simulation simulation{seed, a, b};
      // What was sent before has arrived or is lost 1.5 s after the last of it.
      const Time calm{8s};
      const Time healed = calm + 1'500ms + 2s;
      simulation.run_badly_until(calm);
      simulation.run_well_until(healed + 3s);
      CHECK(simulation.missing(healed, healed + 2s) == 0);
      CHECK(simulation.none_twice());
    }
  }
}
