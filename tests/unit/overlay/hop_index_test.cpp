#include "overlay/hop_index.hpp"

#include <catch2/catch_test_macros.hpp>
#include <optional>
#include <random>
#include <tuple>
#include <vector>

#include "overlay/infos.hpp"

using namespace axl;
using namespace axl::overlay;

namespace {

struct Node {
  wire::Path coords;
  std::vector<Link> links;
};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_{seed} {}
  std::uint64_t below(std::uint64_t limit) { return random_() % limit; }
  wire::Path path(std::size_t longest, std::uint64_t ports) {
    wire::Path made(below(longest + 1));
    for (auto& port : made) port = 1 + below(ports);
    return made;
  }
  Node node(std::size_t longest, std::uint64_t ports, std::uint64_t most_cost) {
    Node made{path(longest, ports), {}};
    for (auto count = 1 + below(3); count > 0; --count) {
      Link link;
      link.id = LinkId{++last_};
      link.priority = static_cast<std::uint8_t>(below(2));
      link.latency = (1 + below(most_cost)) * 1'000'000;
      made.links.push_back(link);
    }
    return made;
  }

 private:
  std::mt19937_64 random_;
  std::uint32_t last_ = 0;
};

// The rule word by word, over every neighbour.
std::optional<LinkId> best_of_all(const std::vector<Node>& nodes, const wire::Path& path, std::uint64_t own_distance) {
  std::optional<LinkId> best;
  std::tuple<std::uint64_t, std::uint64_t, LinkId> rank;
  for (const auto& node : nodes) {
    const auto distance = tree_distance(path, node.coords);
    if (distance >= own_distance) continue;
    std::uint8_t priority = 255;
    for (const auto& link : node.links) priority = std::min(priority, link.priority);
    for (const auto& link : node.links) {
      const std::tuple its{link.cost() / (own_distance - distance), distance, link.id};
      if (link.priority != priority || (best && rank <= its)) continue;
      best = link.id;
      rank = its;
    }
  }
  return best;
}

}  // namespace

TEST_CASE("hop index: the choice is that of the rule over every neighbour", "[overlay]") {
  std::size_t found = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Generator random{seed};
    const auto longest = 1 + random.below(8);
    const auto ports = 1 + random.below(4);
    const auto most_cost = 1 + random.below(40);
    std::vector<Node> nodes;
    for (auto count = random.below(60); count > 0; --count) nodes.push_back(random.node(longest, ports, most_cost));
    HopIndex index;
    for (const auto& node : nodes) index.add(node.coords, node.links);
    for (int i = 0; i < 200; ++i) {
      const auto path = random.path(longest + 2, ports);
      const auto distance = tree_distance(path, random.path(longest, ports));
      INFO("seed " << seed << ", path " << i);
      const auto expected = best_of_all(nodes, path, distance);
      REQUIRE(index.best(path, distance) == expected);
      found += expected ? 1 : 0;
    }
  }
  CHECK(found > 3'000);  // most paths lead somewhere, so there was something to choose
}

TEST_CASE("hop index: empty it names no link", "[overlay]") {
  Generator random{1};
  const auto node = random.node(3, 2, 5);
  HopIndex index;
  index.add(node.coords, node.links);
  index.clear();
  CHECK(index.best({{1, 2, 3}}, 100) == std::nullopt);
}

TEST_CASE("infos: an announcement that only renews what was known leaves the shape of the tree", "[overlay]") {
  Infos infos;
  wire::Announce announce;
  announce.seq = 1;
  announce.port = 3;
  infos.store(announce, {}, {});
  const auto shape = infos.shape();
  const auto version = infos.version();
  ++announce.seq;
  infos.store(announce, {}, {});
  CHECK(infos.shape() == shape);
  CHECK(infos.version() != version);
  SECTION("another port changes it") { announce.port = 4; }
  SECTION("another parent changes it") { announce.parent = PublicKey{std::array<std::byte, 32>{std::byte{1}}}; }
  ++announce.seq;
  infos.store(announce, {}, {});
  CHECK(infos.shape() != shape);
}
