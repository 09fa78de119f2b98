#include <algorithm>

#include "wire/frames.hpp"
#include "wire/writer.hpp"

namespace axl::wire {

namespace {

constexpr std::size_t kFlagBytes = BloomFilter::kWords / 8;
constexpr std::uint64_t kAllOnes = ~std::uint64_t{0};

using Flags = std::array<std::byte, kFlagBytes>;

std::byte mask_of(std::size_t word) noexcept { return std::byte{0x80} >> (word % 8); }
bool flag(ByteSpan flags, std::size_t word) noexcept { return (flags[word / 8] & mask_of(word)) != std::byte{0}; }

}  // namespace

Result<BloomFilter> BloomFilter::decode(ByteSpan body) {
  Reader reader{body};
  const auto zeros = reader.bytes(kFlagBytes);
  const auto ones = reader.bytes(kFlagBytes);
  if (!reader.ok()) return malformed("BloomFilter");
  BloomFilter filter;
  for (std::size_t i = 0; i < kWords; ++i) {
    const bool zero = flag(zeros, i);
    const bool one = flag(ones, i);
    if (zero && one) return malformed("BloomFilter");
    filter.words[i] = zero ? 0 : one ? kAllOnes : reader.u64();
  }
  if (!reader.ok() || !reader.at_end()) return malformed("BloomFilter");
  return filter;
}

Buffer BloomFilter::encode() const {
  Flags zeros{};
  Flags ones{};
  std::size_t literal = 0;
  for (std::size_t i = 0; i < kWords; ++i) {
    if (words[i] == 0) {
      zeros[i / 8] |= mask_of(i);
    } else if (words[i] == kAllOnes) {
      ones[i / 8] |= mask_of(i);
    } else {
      ++literal;
    }
  }
  Buffer out{1 + 2 * kFlagBytes + 8 * literal, Buffer::kHeadroom};
  Writer writer{out.mutable_span()};
  writer.type(FrameType::bloom_filter).bytes(zeros).bytes(ones);
  for (const auto word : words) {
    if (word != 0 && word != kAllOnes) writer.u64(word);
  }
  return out;
}

}  // namespace axl::wire
