// A neighbour that lies and floods: it may waste its own links, but honest nodes stay within bounds and reach each
// other.
#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "network.hpp"

using namespace axl;
using namespace axl::simulation;
using namespace std::chrono_literals;
using wire::FrameType;

namespace {

constexpr std::size_t kHonest = 40;

// Signs properly where it must, to be let in, and otherwise says what it likes.
class Liar {
 public:
  explicit Liar(Network& network, std::uint64_t seed) : network_{network}, random_{seed} {
    id_ = network.add_scripted([this](Network::LinkNumber link, ByteSpan message) { on_message(link, message); });
  }
  [[nodiscard]] Network::NodeId id() const { return id_; }
  void joined(Network::LinkNumber link) { links_.push_back(link); }

  // One burst on every link that is still up.
  void lie(int round) {
    for (const auto link : links_) {
      filters(link);
      announcements(link, round);
      paths(link);
      send(link, wire::SigReq{1, random_()}.encode());
    }
  }
  // More requests than anybody answers.
  void flood() {
    for (const auto link : links_) {
      for (std::uint64_t n = 0; n < 1000; ++n) send(link, wire::SigReq{n, random_()}.encode());
    }
  }

 private:
  [[nodiscard]] const PrivateKey& key() const { return network_.key(id_); }
  void send(Network::LinkNumber link, Buffer message) { network_.inject(id_, link, std::move(message)); }

  PublicKey any_key() {
    std::array<std::byte, 32> bytes{};
    for (auto& byte : bytes) byte = std::byte{static_cast<unsigned char>(random_())};
    return PublicKey{bytes};
  }
  PublicKey honest_key() { return network_.key(random_() % kHonest).public_key(); }
  wire::Path any_path(std::size_t most) {
    wire::Path path(random_() % (most + 1));
    for (auto& port : path) port = 1 + random_() % 5;
    return path;
  }

  // Becomes a child of whoever it asks, so that lookups come its way.
  void on_message(Network::LinkNumber link, ByteSpan message) {
    const auto body = message.subspan(1);
    const auto [a, b] = network_.ends(link);
    const auto& neighbour = network_.key(a == id_ ? b : a).public_key();
    if (static_cast<FrameType>(message.front()) == FrameType::sig_req) {
      send(link, wire::SigReq{++seq_, random_()}.encode());
    } else if (static_cast<FrameType>(message.front()) == FrameType::sig_res) {
      const auto response = wire::SigRes::decode(body);
      if (!response) return;
      const auto bytes =
          wire::signed_bytes(key().public_key(), neighbour, response->seq, response->nonce, response->port);
      send(link, wire::Announce{key().public_key(), neighbour, response->seq, response->nonce, response->port,
                                response->psig, crypto::sign(key(), bytes)}
                     .encode());
    }
  }

  void filters(Network::LinkNumber link) {
    wire::BloomFilter filter;
    if (random_() % 3 != 0) filter.words.fill(~std::uint64_t{0});
    send(link, filter.encode());
  }

  // Chains of invented nodes, properly signed by themselves.
  void announcements(Network::LinkNumber link, int round) {
    auto parent = simulated_key(99, 0);
    for (std::uint64_t n = 0; n < 10; ++n) {
      const auto child = simulated_key(99, static_cast<std::uint64_t>(round) * 10 + n + link * 10'000);
      const auto bytes = wire::signed_bytes(child.public_key(), parent.public_key(), 1, 1, 7);
      send(link, wire::Announce{child.public_key(), parent.public_key(), 1, 1, 7, crypto::sign(parent, bytes),
                                crypto::sign(child, bytes)}
                     .encode());
      parent = child;
    }
  }

  void paths(Network::LinkNumber link) {
    for (int i = 0; i < 20; ++i) {
      const auto source = random_() % 2 == 0 ? honest_key() : any_key();
      send(link, wire::PathLookup{source, honest_key(), any_path(4)}.encode());
      wire::PathNotify notify{any_path(6), random_(), honest_key(), honest_key(), {~std::uint64_t{0}, any_path(3), {}}};
      send(link, notify.encode());
      send(link, wire::PathBroken{any_path(6), random_(), honest_key(), honest_key()}.encode());
      auto packet = Buffer::copy_of(as_bytes("junk"), Buffer::kHeadroom);
      wire::TrafficHeader{any_path(6), any_path(6), honest_key(), honest_key(), random_()}.prepend_to(packet);
      send(link, std::move(packet));
    }
    wire::Path endless(5000, 1);
    send(link, wire::PathLookup{any_key(), honest_key(), endless}.encode());
  }

  Network& network_;
  std::mt19937_64 random_;
  Network::NodeId id_ = 0;
  std::vector<Network::LinkNumber> links_;
  std::uint64_t seq_ = 1;
};

}  // namespace

TEST_CASE("simulation: a lying neighbour costs bounded memory, and honest nodes still reach each other",
          "[simulation]") {
  const auto seed = seed_of_run(11);
  INFO("AXL_SEED=" << seed);
  overlay::Config config;
  config.max_infos = 300;  // smaller, to be reached
  config.max_infos_per_neighbour = 100;
  Network network{config, seed};
  auto& random = network.random();
  for (std::size_t i = 0; i < kHonest; ++i) network.add_node(Time{std::chrono::milliseconds{random() % 1000}});
  network.run_until(Time{1s});
  for (std::size_t i = 1; i < kHonest; ++i) network.connect(i, random() % i, 5ms);
  for (std::size_t i = 0; i < kHonest / 2; ++i) {
    const auto a = random() % kHonest;
    const auto b = random() % kHonest;
    if (a != b) network.connect(a, b, 8ms);
  }
  network.run_for(10s);
  REQUIRE(tree_fault(network).empty());

  Liar liar{network, seed};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto link = network.connect(liar.id(), i * 7, 3ms);
    liar.joined(link);
    network.inject(liar.id(), link, wire::SigReq{1, 1}.encode());
  }
  std::set<std::pair<std::size_t, std::size_t>> arrived;
  std::size_t junk = 0;
  network.on_deliver = [&](std::size_t at, const PublicKey& from, ByteSpan payload) {
    const auto source = network.node_of(from);
    if (as_text(payload) == "honest" && source) {
      arrived.emplace(*source, at);
    } else {
      ++junk;
    }
  };
  std::size_t peak_infos = 0;
  for (int round = 0; round < 20; ++round) {
    for (int burst = 0; burst < 10; ++burst) {
      liar.lie(round * 10 + burst);
      for (std::size_t from = 0; from < kHonest; ++from) {
        const auto to = random() % kHonest;
        if (from != to && !arrived.contains({from, to})) {
          network.send(from, network.key(to).public_key(), as_bytes("honest"));
        }
      }
      network.run_for(100ms);
    }
    for (std::size_t node = 0; node < kHonest; ++node) {
      const auto sizes = network.engine(node).table_sizes();
      peak_infos = std::max(peak_infos, sizes.infos);
      REQUIRE(sizes.infos <= config.max_infos);
      REQUIRE(sizes.paths <= kHonest);
      REQUIRE(sizes.rumors <= kHonest);
      REQUIRE(sizes.waiting_bytes <= config.max_waiting_bytes);
    }
  }
  CHECK(peak_infos >= 100);  // the flood did come in
  CHECK(tree_fault(network).empty());

  // Every pair, while it goes on lying.
  for (int attempt = 0; attempt < 5; ++attempt) {
    for (std::size_t from = 0; from < kHonest; ++from) {
      for (std::size_t to = 0; to < kHonest; ++to) {
        if (from != to && !arrived.contains({from, to})) {
          network.send(from, network.key(to).public_key(), as_bytes("honest"));
        }
      }
      if (from % 4 == 0) liar.lie(1000 + attempt * 50 + static_cast<int>(from));
      network.run_for(50ms);
    }
    network.run_for(2s);
  }
  CHECK(arrived.size() == kHonest * (kHonest - 1));
  CHECK(network.closed_links == 0);  // all it said was well-formed and properly signed
  CHECK(junk > 0);
  liar.flood();
  network.run_for(100ms);
  CHECK(network.closed_links == 4);
  network.run_for(5s);
  CHECK(tree_fault(network).empty());
  WARN("seed " << seed << ": " << junk << " forged datagrams delivered, " << peak_infos << " announcements at most");
}
