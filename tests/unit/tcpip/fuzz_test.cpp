// Packets that a hostile peer could send: those of live connections, mutated, with checksums that hold.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "network.hpp"

using namespace axl;
using namespace axl::tcpip;
using namespace axl::tcpip::test;
using namespace std::chrono_literals;

extern "C" std::uint16_t axl_lwip_checksum(const void* data, int length);

namespace {

std::uint16_t u16_at(const Bytes& bytes, std::size_t at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes[at]) << 8U |
                                    std::to_integer<unsigned>(bytes[at + 1]));
}
void put_u16(Bytes& bytes, std::size_t at, std::size_t value) {
  bytes[at] = static_cast<std::byte>(value >> 8U);
  bytes[at + 1] = static_cast<std::byte>(value & 0xffU);
}

// Makes length and checksum of a TCP or ICMPv6 packet right again.
void mend(Bytes& packet) {
  if (packet.size() < 40) return;
  put_u16(packet, 4, packet.size() - 40);
  const std::size_t at = packet[6] == std::byte{6} ? 40 + 16 : 40 + 2;
  if (packet.size() < at + 2) return;
  put_u16(packet, at, 0);
  Bytes pseudo(40);
  std::copy_n(packet.begin() + 8, 32, pseudo.begin());
  put_u16(pseudo, 34, packet.size() - 40);
  pseudo[39] = packet[6];
  pseudo.insert(pseudo.end(), packet.begin() + 40, packet.end());
  const std::uint16_t sum = axl_lwip_checksum(pseudo.data(), static_cast<int>(pseudo.size()));
  const auto inverted = static_cast<std::uint16_t>(~sum);
  std::memcpy(packet.data() + at, &inverted, 2);
}

class Mutator {
 public:
  explicit Mutator(std::uint64_t seed) : rng_{seed} {}
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(rng_.next_u64() % limit); }

  void mutate(Bytes& packet) {
    for (auto rounds = 1 + below(3); rounds > 0; --rounds) once(packet);
    if (below(10) != 0) mend(packet);
  }

 private:
  void once(Bytes& packet) {
    switch (below(8)) {
      case 0: packet[below(packet.size())] = static_cast<std::byte>(below(256)); break;
      case 1:  // in the TCP header, where it hurts
        if (packet.size() >= 60) packet[44 + below(16)] = static_cast<std::byte>(below(256));
        break;
      case 2: packet.resize(1 + below(packet.size())); break;
      case 3: packet.resize(packet.size() + below(200)); break;
      case 4:  // flags
        if (packet.size() >= 60) packet[53] = static_cast<std::byte>(below(64));
        break;
      case 5:  // sequence or acknowledgement a little off
        if (packet.size() >= 60) {
          const auto at = 44 + 4 * below(2) + 2;
          put_u16(packet, at, u16_at(packet, at) + below(4'000) - 2'000U);
        }
        break;
      case 6:  // options: some random words behind the header
        if (packet.size() >= 60) {
          Bytes options(4 * (1 + below(9)));
          for (auto& byte : options) byte = static_cast<std::byte>(below(12));
          packet.insert(packet.begin() + 60, options.begin(), options.end());
          packet[52] = static_cast<std::byte>(((20 + options.size()) / 4) << 4U);
        }
        break;
      default:
        if (packet.size() >= 60) put_u16(packet, 54, below(0x10000));  // window
    }
  }
  crypto::SeededRng rng_;
};

}  // namespace

TEST_CASE("tcpip: mutated packets of live connections do no harm", "[tcpip]") {
  constexpr std::size_t kPackets = 300'000;
  constexpr std::size_t kPerRound = 3'000;
  Mutator mutator{7};
  std::size_t fed = 0;
  std::uint64_t asserts = 0;
  std::uint64_t filtered = 0;
  for (std::uint64_t round = 1; fed < kPackets; ++round) {
    CAPTURE(round);
    Network network{round};
    network.link.loss = 0.1;
    auto& client = network.add({.mtu = round % 2 == 0 ? std::size_t{16'200} : std::size_t{1'280}});
    auto& server = network.add({.mtu = round % 3 == 0 ? std::size_t{16'200} : std::size_t{1'280}});
    std::vector<Bytes> corpus;
    std::vector<std::unique_ptr<Reader>> served;
    REQUIRE(server.stack->listen(7000, [&](auto connection) {
      served.push_back(std::make_unique<Reader>());
      auto* raw = served.back().get();
      raw->keep = false;
      raw->then = [raw](ByteSpan data) {
        if (raw->connection->unsent() < 100'000) raw->connection->write(Buffer::copy_of(data));
      };
      raw->at_end = [raw] { raw->connection->close(); };
      raw->take(std::move(connection));
    }));
    client.on_send = [&](ByteSpan packet) {
      if (corpus.size() < 500) {
        corpus.push_back(to_bytes(packet));
      } else {
        corpus[mutator.below(corpus.size())] = to_bytes(packet);
      }
    };
    std::vector<std::unique_ptr<Reader>> readers;
    for (int i = 0; i < 4; ++i) {
      client.stack->connect(server.key, 7000, 5s, [&](auto result) {
        if (!result) return;
        readers.push_back(std::make_unique<Reader>());
        readers.back()->keep = false;
        readers.back()->take(std::move(*result));
        readers.back()->connection->write(Buffer::copy_of(random_bytes(round, 60'000)));
        if (readers.size() % 2 == 0) readers.back()->connection->shutdown_send();
      });
      client.stack->run_handlers();
    }
    network.run_for(20ms);
    REQUIRE_FALSE(corpus.empty());
    for (std::size_t i = 0; i < kPerRound; ++i, ++fed) {
      auto packet = corpus[mutator.below(corpus.size())];
      mutator.mutate(packet);
      server.stack->input(client.key, Buffer::copy_of(packet), network.now);
      if (i % 4 == 0) server.stack->run_handlers();
      if (i % 64 == 0) network.run_for(2ms);
    }
    // It still serves.
    network.link.loss = 0;
    for (int again = 0; again < 2; ++again) {  // a connect that is late comes up in between
      for (const auto* ends : {&readers, &served}) {
        for (const auto& end : *ends) end->connection->abort();
      }
      network.run_for(22s);  // half-open ones have gone
    }
    CHECK(client.stack->stats().connections == 0);
    CHECK(server.stack->stats().connections == 0);
    auto pair = join(network, client, server, 7001);
    REQUIRE(pair);
    pair.client->connection->write(Buffer::copy_of(random_bytes(1, 100'000)));
    network.turn(client);
    REQUIRE(network.run([&] { return pair.server->count == 100'000; }));
    CHECK(pair.server->received == random_bytes(1, 100'000));
    for (const auto& line : server.log) FAIL_CHECK(line);
    for (const auto& line : client.log) FAIL_CHECK("client: " << line);
    asserts += server.stack->stats().asserts + client.stack->stats().asserts;
    filtered += server.stack->stats().filtered;
  }
  CHECK(asserts == 0);
  CHECK(filtered > kPackets / 10);
  CHECK(filtered < kPackets);
}

TEST_CASE("tcpip: tiny segments with holes between them cost bounded memory", "[tcpip]") {
  Network network;
  auto& client = network.add();
  auto& server = network.add();
  Bytes last;
  client.on_send = [&](ByteSpan packet) { last = to_bytes(packet); };
  auto pair = join(network, client, server);
  REQUIRE(pair);
  network.run_for(1s);
  pair.client->connection->write(Buffer::copy_of(random_bytes(1, 1)));
  network.link.loss = 1;
  network.turn(client);
  REQUIRE(last.size() == 61);
  const auto base = static_cast<std::uint32_t>(u16_at(last, 44)) << 16U | u16_at(last, 46);
  // Every second byte of the window and beyond it; the first is missing.
  for (std::uint32_t i = 1; i < 300'000; i += 2) {
    auto packet = last;
    put_u16(packet, 44, (base + i) >> 16U);
    put_u16(packet, 46, (base + i) & 0xffffU);
    mend(packet);
    server.stack->input(client.key, Buffer::copy_of(packet), network.now);
  }
  CHECK(server.stack->stats().filtered == 0);
  CHECK(server.stack->stats().asserts == 0);
  network.link.loss = 0;
  REQUIRE(network.run([&] { return pair.server->count >= 1; }));
}
