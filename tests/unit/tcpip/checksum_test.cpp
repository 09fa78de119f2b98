#include <catch2/catch_test_macros.hpp>

#include <cstdint>

#include "network.hpp"

using namespace axl;
using namespace axl::tcpip::test;

extern "C" std::uint16_t axl_lwip_checksum(const void* data, int length);

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
  const auto sum = axl_lwip_checksum(bytes.data(), static_cast<int>(bytes.size()));
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
