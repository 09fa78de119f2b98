#include "tcpip/checksum.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <cstring>
#include <vector>

#include "network.hpp"
#include "tcpip/packet_buffer.hpp"

using namespace axl;
using namespace axl::tcpip::test;

namespace {

// RFC 1071, literally: big-endian 16-bit words, an odd byte padded with zero, carries added around.
std::uint16_t reference(ByteSpan bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    sum += std::to_integer<std::uint32_t>(bytes[i]) << 8U;
    if (i + 1 < bytes.size()) sum += std::to_integer<std::uint32_t>(bytes[i + 1]);
    sum = (sum & 0xffffU) + (sum >> 16U);
  }
  return static_cast<std::uint16_t>(sum);
}

std::uint16_t ours(ByteSpan bytes) {
  const auto sum = tcpip::sum_of(bytes.data(), bytes.size());
  Bytes copy(bytes.size() + 1, std::byte{0x5a});
  CHECK(tcpip::copy_and_sum(copy.data(), bytes.data(), bytes.size()) == sum);
  CHECK(std::ranges::equal(ByteSpan{copy}.first(bytes.size()), bytes));
  CHECK(copy.back() == std::byte{0x5a});
  std::uint8_t in_memory[2];
  std::memcpy(in_memory, &sum, 2);
  return static_cast<std::uint16_t>(in_memory[0] << 8U | in_memory[1]);
}

}  // namespace

TEST_CASE("tcpip checksum: equals RFC 1071 for all small sizes and alignments", "[tcpip]") {
  const auto bytes = random_bytes(1, 512);
  for (std::size_t start = 0; start < 40; ++start) {
    for (std::size_t size = 0; size < 300; ++size) {
      const auto part = ByteSpan{bytes}.subspan(start, size);
      if (ours(part) != reference(part)) FAIL_CHECK("start " << start << ", size " << size);
    }
  }
}

TEST_CASE("tcpip checksum: equals RFC 1071 for random sizes up to the largest packet", "[tcpip]") {
  const auto bytes = random_bytes(2, 70'000);
  crypto::SeededRng rng{3};
  for (int i = 0; i < 300; ++i) {
    const auto start = rng.next_u64() % 64;
    const auto size = rng.next_u64() % 65'536;
    const auto part = ByteSpan{bytes}.subspan(start, size);
    if (ours(part) != reference(part)) FAIL_CHECK("start " << start << ", size " << size);
  }
}

TEST_CASE("tcpip checksum: carries are not lost", "[tcpip]") {
  const Bytes ones(65'535, std::byte{0xff});
  for (const std::size_t size : {1U, 2U, 63U, 64U, 127U, 128U, 129U, 16'384U, 65'535U}) {
    const auto part = ByteSpan{ones}.first(size);
    CHECK(ours(part) == reference(part));
  }
  CHECK(ours({}) == 0);
}

TEST_CASE("tcpip checksum: a segment put together from pieces of any size has the right one", "[tcpip]") {
  crypto::SeededRng rng{4};
  for (int i = 0; i < 500; ++i) {
    const auto length = 20 + rng.next_u64() % (i % 2 == 0 ? 200 : 16'000);
    auto bytes = random_bytes(static_cast<std::uint64_t>(i), 40 + length);
    bytes[6] = std::byte{6};                        // next header: TCP
    bytes[40 + 16] = bytes[40 + 17] = std::byte{};  // no checksum yet
    std::vector<pbuf> pieces;
    std::size_t at = 0;
    while (at < bytes.size()) {
      const auto count = std::min<std::size_t>(bytes.size() - at, 1 + rng.next_u64() % (i % 3 == 0 ? 50 : 5'000));
      pbuf piece{};
      piece.payload = bytes.data() + at;
      piece.len = static_cast<u16_t>(count);
      piece.tot_len = static_cast<u16_t>(bytes.size() - at);
      pieces.push_back(piece);
      at += count;
    }
    for (std::size_t next = 1; next < pieces.size(); ++next) pieces[next - 1].next = &pieces[next];
    const auto packet = tcpip::assemble(pieces.data());
    REQUIRE(packet.size() == bytes.size());

    Bytes covered(bytes.begin() + 8, bytes.begin() + 40);
    for (const auto byte : {length >> 8U, length & 0xffU, std::size_t{0}, std::size_t{6}}) {
      covered.push_back(static_cast<std::byte>(byte));
    }
    covered.insert(covered.end(), packet.span().begin() + 40, packet.span().end());
    CHECK(reference(covered) == 0xffff);
    auto rest = to_bytes(packet);
    rest[40 + 16] = rest[40 + 17] = std::byte{};
    CHECK(rest == bytes);
  }
}
