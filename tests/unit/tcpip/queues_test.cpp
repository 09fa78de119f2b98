#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "network.hpp"
#include "tcpip/receive_queue.hpp"
#include "tcpip/send_queue.hpp"

using namespace axl;
using namespace axl::tcpip;
using namespace axl::tcpip::test;

TEST_CASE("tcpip send queue: small writes lie together, large ones keep their buffer", "[tcpip]") {
  SendQueue queue;
  for (int i = 0; i < 3; ++i) queue.write(Buffer::copy_of(random_bytes(1, 100)));
  CHECK(queue.next().size() == 300);
  auto large = Buffer::copy_of(random_bytes(2, 10'000));
  const auto* place = large.data();
  queue.write(std::move(large));
  CHECK(queue.size() == 10'300);
  queue.on_handed_over(300);
  REQUIRE(queue.next().size() == 10'000);
  CHECK(queue.next().data() == place);
}

TEST_CASE("tcpip send queue: bytes handed over stay in place while more are written", "[tcpip]") {
  SendQueue queue;
  queue.write(Buffer::copy_of(random_bytes(1, 10)));
  queue.write(Buffer::copy_of(random_bytes(2, 10)));
  const auto first = queue.next();
  REQUIRE(first.size() == 20);
  queue.on_handed_over(20);
  CHECK(queue.next().empty());
  for (int i = 0; i < 1'000; ++i) queue.write(Buffer::copy_of(random_bytes(3, 30)));
  CHECK(std::ranges::equal(first, [] {
    auto bytes = random_bytes(1, 10);
    const auto more = random_bytes(2, 10);
    bytes.insert(bytes.end(), more.begin(), more.end());
    return bytes;
  }()));
  CHECK(queue.waiting() == 30'000);
}

TEST_CASE("tcpip send queue: what goes in comes out, for any mix of sizes and steps", "[tcpip]") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    crypto::SeededRng rng{seed};
    SendQueue queue;
    Bytes written;
    Bytes handed;
    std::size_t under_way = 0;
    for (int step = 0; step < 400; ++step) {
      const auto dice = rng.next_u64();
      switch (dice % 3) {
        case 0: {
          const auto size = (dice >> 8U) % 4 == 0 ? (dice >> 16U) % 20'000 : (dice >> 16U) % 200;
          const auto bytes = random_bytes(dice, size);
          written.insert(written.end(), bytes.begin(), bytes.end());
          queue.write(Buffer::copy_of(bytes));
          break;
        }
        case 1: {
          const auto next = queue.next();
          if (next.empty()) {
            CHECK(queue.waiting() == 0);
            break;
          }
          const auto count = 1 + (dice >> 16U) % next.size();
          handed.insert(handed.end(), next.begin(), next.begin() + static_cast<std::ptrdiff_t>(count));
          queue.on_handed_over(count);
          under_way += count;
          break;
        }
        default: {
          if (under_way == 0) break;
          const auto count = 1 + (dice >> 16U) % under_way;
          queue.on_acknowledged(count);
          under_way -= count;
        }
      }
      CHECK(queue.handed_over() == under_way);
      CHECK(queue.size() == written.size() - handed.size() + under_way);
    }
    while (!queue.next().empty()) {
      const auto next = queue.next();
      handed.insert(handed.end(), next.begin(), next.end());
      queue.on_handed_over(next.size());
    }
    CHECK(handed == written);
  }
}

TEST_CASE("tcpip receive queue: the first piece is handed on as it came, small ones behind it are joined", "[tcpip]") {
  ReceiveQueue queue;
  auto first = Buffer::copy_of(random_bytes(1, 10));
  const auto* place = first.data();
  queue.push(std::move(first));
  for (int i = 0; i < 8'000; ++i) queue.push(Buffer::copy_of(random_bytes(2, 1)));
  CHECK(queue.size() == 8'010);
  CHECK(queue.pop().data() == place);
  CHECK(queue.pop().size() == 4'096);
  CHECK(queue.pop().size() == 3'904);
  CHECK(queue.empty());
  CHECK(queue.size() == 0);
}

TEST_CASE("tcpip receive queue: pieces keep their order, whatever their sizes", "[tcpip]") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    crypto::SeededRng rng{seed};
    ReceiveQueue queue;
    Bytes in;
    Bytes out;
    for (int step = 0; step < 300; ++step) {
      const auto dice = rng.next_u64();
      if (dice % 3 != 0) {
        const auto bytes = random_bytes(dice, (dice >> 8U) % ((dice >> 4U) % 2 == 0 ? 3'000 : 50));
        in.insert(in.end(), bytes.begin(), bytes.end());
        queue.push(Buffer::copy_of(bytes));
      } else if (!queue.empty()) {
        const auto piece = queue.pop();
        CHECK_FALSE(piece.empty());
        out.insert(out.end(), piece.span().begin(), piece.span().end());
      }
      CHECK(queue.size() == in.size() - out.size());
    }
    while (!queue.empty()) {
      const auto piece = queue.pop();
      out.insert(out.end(), piece.span().begin(), piece.span().end());
    }
    CHECK(out == in);
  }
}
