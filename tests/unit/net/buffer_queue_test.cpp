#include "net/buffer_queue.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <random>

using namespace axl;
using net::BufferQueue;

TEST_CASE("buffer queue: small pieces that wait are joined, the first goes as it came", "[net]") {
  BufferQueue queue;
  Buffer first = Buffer::copy_of(as_bytes("first"));
  const auto* const bytes = first.data();
  queue.push(std::move(first));
  CHECK(queue.front().data() == bytes);
  for (int i = 0; i < 10'000; ++i) queue.push(Buffer::copy_of(as_bytes("0123456789")));
  CHECK(queue.bytes() == 100'005);
  CHECK(queue.pieces() < 30);
  CHECK(queue.front().data() == bytes);
  Buffer large{5'000};
  const auto* const place = large.data();
  queue.push(std::move(large));
  queue.consume(100'005);
  CHECK(queue.front().data() == place);
}

TEST_CASE("buffer queue: what goes in comes out, for any mix of sizes and steps", "[net]") {
  std::mt19937 random{7};
  const auto below = [&](std::size_t bound) { return random() % bound; };
  for (int round = 0; round < 200; ++round) {
    BufferQueue queue;
    std::string in;
    std::string out;
    for (int step = 0; step < 200; ++step) {
      if (below(3) != 0) {
        const std::string piece(below(4) == 0 ? below(20'000) : below(1'100), static_cast<char>('a' + below(26)));
        queue.push(Buffer::copy_of(as_bytes(piece)));
        in += piece;
      } else {
        std::string taken(below(9'000), ' ');
        taken.resize(queue.copy(std::as_writable_bytes(std::span{taken})));
        queue.consume(taken.size());
        out += taken;
      }
      REQUIRE(queue.bytes() == in.size() - out.size());
    }
    std::string rest(queue.bytes(), ' ');
    CHECK(queue.copy(std::as_writable_bytes(std::span{rest})) == rest.size());
    CHECK(out + rest == in);
  }
}
