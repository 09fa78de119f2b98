// What the simulation counts while it runs: others read it as the cost of a network.
#include "network.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace axl;
using namespace axl::simulation;
using namespace std::chrono_literals;

namespace {

// Two neighbours, up for five seconds.
struct Two {
  explicit Two(bool accept_all) : network{overlay::Config{}, 3} {
    network.verifier().accept_all(accept_all);
    network.add_node(Time{});
    network.add_node(Time{});
    network.connect(0, 1, 1ms);
    network.run_until(Time{5s});
  }
  Network network;
};

}  // namespace

TEST_CASE("simulation: bytes on the wire are those of every frame, with the length in front", "[simulation]") {
  Network network{overlay::Config{}, 3};
  network.add_node(Time{});
  const auto scripted = network.add_scripted([](auto, ByteSpan) {});
  const auto link = network.connect(0, scripted, 1ms);
  network.wire_bytes = 0;
  network.inject(scripted, link, Buffer{127});
  CHECK(network.wire_bytes == 128);
  network.inject(scripted, link, Buffer{128});
  CHECK(network.wire_bytes == 128 + 130);
}

TEST_CASE("simulation: the cheap stand-in for signatures is asked as often, checks none, and changes nothing else",
          "[simulation]") {
  Two real{false};
  Two cheap{true};
  CHECK(tree_fault(real.network).empty());
  CHECK(tree_fault(cheap.network).empty());
  CHECK(real.network.verifier().checked() > 0);
  CHECK(cheap.network.verifier().checked() == 0);
  CHECK(real.network.verifier().asked() >= real.network.verifier().checked());
  CHECK(cheap.network.verifier().asked() == real.network.verifier().asked());
  CHECK(cheap.network.wire_bytes == real.network.wire_bytes);
  CHECK(cheap.network.frames == real.network.frames);
}

TEST_CASE("simulation: each neighbour's filter holds what lies behind it", "[simulation]") {
  Network network{overlay::Config{}, 3};
  for (int i = 0; i < 3; ++i) network.add_node(Time{});
  network.connect(0, 1, 1ms);
  network.connect(1, 2, 1ms);
  CHECK(network.engine(1).filter_fill() == 0);
  network.run_until(Time{10s});
  REQUIRE(tree_fault(network).empty());
  // Eight bits of each key, some of which may be the same.
  const auto bits = [&](std::size_t node) { return network.engine(node).filter_fill() * 8192; };
  CHECK(bits(1) > 0);
  CHECK(bits(1) <= 8);  // one neighbour behind either link
  CHECK(bits(0) > 8);   // two nodes behind the only one
  CHECK(bits(0) <= 16);
}
