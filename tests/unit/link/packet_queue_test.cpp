#include "link/packet_queue.hpp"

#include <catch2/catch_test_macros.hpp>
#include <map>

#include "vectors.hpp"

using namespace std::chrono_literals;
using axl::Buffer;
using axl::PublicKey;
using axl::link::Flow;
using axl::link::PacketQueue;
using axl::test::text;
using axl::test::u64;

namespace {

constexpr axl::Time t0{};

/// A message of `body` bytes behind its type byte, with a number in it.
Buffer packet(std::size_t body, std::uint64_t id) {
  Buffer message{1 + body};
  message.data()[1] = std::byte{static_cast<std::uint8_t>(id)};
  return message;
}

std::uint64_t id_of(const std::optional<Buffer>& message) {
  REQUIRE(message);
  return std::to_integer<std::uint64_t>(message->data()[1]);
}

PublicKey key(std::uint8_t number) {
  std::array<std::byte, 32> bytes{};
  bytes[0] = std::byte{number};
  return PublicKey{bytes};
}

Flow transit(std::uint8_t source, std::uint8_t dest) { return {key(source), key(dest), false}; }
Flow own(std::uint8_t dest) { return {key(99), key(dest), true}; }

}  // namespace

TEST_CASE("packet queue: does what the reference's queue did, step by step", "[link]") {
  std::map<std::string, PublicKey, std::less<>> keys;
  for (auto k : axl::test::load_vectors("routing/keys.json")["keys"].get_array()) {
    keys.emplace(text(k["name"]), PublicKey::from_hex(text(k["public"])).value());
  }
  for (auto c : axl::test::load_vectors("routing/queue.json")["cases"].get_array()) {
    CAPTURE(text(c["name"]));
    PacketQueue queue{PacketQueue::Config::reference()};
    auto now = t0;
    for (auto op : c["ops"].get_array()) {
      const auto what = text(op["op"]);
      if (what == "push") {
        const Flow flow{keys.find(text(op["source"]))->second, keys.find(text(op["dest"]))->second};
        queue.push(packet(u64(op["size"]), u64(op["id"])), flow, now);
        now += 2ms;
      } else {
        const auto out = what == "pop" ? queue.pop() : queue.drop();
        REQUIRE(out.has_value() == op["ok"].get_bool().value());
        if (out) CHECK(id_of(out) == u64(op["id"]));
      }
      CHECK(queue.bytes() == u64(op["queue_size"]));
    }
  }
}

TEST_CASE("packet queue: the reference drops one packet per push once the head is old", "[link]") {
  PacketQueue queue{PacketQueue::Config::reference()};
  queue.push(packet(100, 1), transit(1, 2), t0);
  queue.push(packet(100, 2), transit(1, 2), t0 + 25ms);
  CHECK(queue.packets() == 2);
  queue.push(packet(100, 3), transit(1, 2), t0 + 26ms);
  CHECK(queue.packets() == 2);
  CHECK(id_of(queue.pop()) == 2);
}

TEST_CASE("packet queue: a few packets may wait for long, more may not", "[link]") {
  PacketQueue queue;
  for (std::uint64_t id = 1; id <= 5; ++id) queue.push(packet(10, id), transit(1, 2), t0 + 1s * static_cast<int>(id));
  CHECK(queue.packets() == 5);
  queue.push(packet(10, 6), transit(1, 2), t0 + 10s);
  CHECK(queue.packets() == 5);
  CHECK(queue.dropped() == 1);
  CHECK(id_of(queue.pop()) == 2);
}

TEST_CASE("packet queue: own packets are never dropped and delay nobody's", "[link]") {
  PacketQueue queue{{.undisturbed = 0, .max_bytes = 1000}};
  for (std::uint64_t id = 0; id < 50; ++id) queue.push(packet(500, id), own(1), t0);
  queue.push(packet(100, 100), transit(3, 4), t0 + 10s);
  CHECK(queue.packets() == 51);
  queue.push(packet(950, 101), transit(3, 4), t0 + 10s);
  CHECK(queue.packets() == 51);  // the first in transit made room
  CHECK(queue.dropped() == 1);
  for (std::uint64_t id = 0; id < 50; ++id) CHECK(id_of(queue.pop()) == id);
  CHECK(id_of(queue.pop()) == 101);
  CHECK(queue.empty());
  CHECK(queue.bytes() == 0);
}

TEST_CASE("packet queue: transit is bounded in bytes and packets, and the heaviest flow pays", "[link]") {
  SECTION("bytes") {
    PacketQueue queue;
    queue.push(packet(100, 1), transit(1, 2), t0);
    for (std::uint64_t id = 0; id < 40; ++id) queue.push(packet(100'000, 50 + id), transit(3, 4), t0);
    CHECK(queue.bytes() <= std::size_t{1} << 20U);
    CHECK(queue.packets() == 11);
    CHECK(id_of(queue.pop()) == 1);  // the light flow lost nothing
    CHECK(id_of(queue.pop()) == 80);
  }
  SECTION("packets") {
    PacketQueue queue{{.max_packets = 10}};
    for (std::uint64_t id = 0; id < 30; ++id) {
      queue.push(packet(1, id), transit(static_cast<std::uint8_t>(id), static_cast<std::uint8_t>(id)), t0);
    }
    CHECK(queue.packets() == 10);
    CHECK(queue.dropped() == 20);
  }
  SECTION("one packet larger than all room is still carried, alone") {
    PacketQueue queue{{.max_bytes = 100}};
    queue.push(packet(50, 1), transit(1, 2), t0);
    queue.push(packet(200, 2), transit(1, 2), t0);
    CHECK(queue.packets() == 1);
    CHECK(id_of(queue.pop()) == 2);
  }
}

TEST_CASE("packet queue: a message without body counts nothing", "[link]") {
  PacketQueue queue;
  queue.push(Buffer{1}, transit(1, 2), t0);
  CHECK(queue.bytes() == 0);
  CHECK(queue.pop()->size() == 1);
  CHECK_FALSE(queue.pop());
}
