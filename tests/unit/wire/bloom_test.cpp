#include <bit>
#include <catch2/catch_test_macros.hpp>

#include "vectors.hpp"
#include "wire/frames.hpp"

using axl::test::hex;
using axl::test::text;
using axl::test::u64;
using axl::wire::BloomFilter;

namespace {

void set(BloomFilter& filter, std::uint64_t bit) { filter.words[bit / 64] |= std::uint64_t{1} << (bit % 64); }

std::uint64_t bits_set(const BloomFilter& filter) {
  std::uint64_t count = 0;
  for (const auto word : filter.words) count += static_cast<std::uint64_t>(std::popcount(word));
  return count;
}

}  // namespace

TEST_CASE("bloom filter: every golden body is decoded and encoded to the same bytes", "[wire]") {
  for (auto c : axl::test::load_vectors("routing/bloom.json")["filters"].get_array()) {
    CAPTURE(text(c["name"]));
    const auto filter = BloomFilter::decode(hex(c["encoded"]));
    REQUIRE(filter);
    CHECK(bits_set(*filter) == u64(c["bits_set"]));
    const auto encoded = filter->encode();
    CHECK(axl::to_hex(encoded.span().subspan(1)) == text(c["encoded"]));
    CHECK(axl::wire::uvarint_size(encoded.size()) + encoded.size() == u64(c["frame_len"]));
  }
}

TEST_CASE("bloom filter: bits of listed keys make the golden body", "[wire]") {
  const auto root = axl::test::load_vectors("routing/bloom.json");
  for (auto c : root["filters"].get_array()) {
    if (!axl::test::has(c, "keys")) continue;
    BloomFilter filter;
    for (auto wanted : c["keys"].get_array()) {
      for (auto k : root["keys"].get_array()) {
        if (text(k["key"]) != text(wanted)) continue;
        for (auto bit : k["bits_sorted"].get_array()) set(filter, u64(bit));
      }
    }
    CHECK(axl::to_hex(filter.encode().span().subspan(1)) == text(c["encoded"]));
  }
}

TEST_CASE("bloom filter: full words and single bits keep their places", "[wire]") {
  for (auto c : axl::test::load_vectors("routing/bloom.json")["filters"].get_array()) {
    if (!axl::test::has(c, "extra_bits")) continue;
    BloomFilter filter;
    for (const auto word : {0, 9, 127}) filter.words.at(static_cast<std::size_t>(word)) = ~std::uint64_t{0};
    for (auto bit : c["extra_bits"].get_array()) set(filter, u64(bit));
    CHECK(axl::to_hex(filter.encode().span().subspan(1)) == text(c["encoded"]));
  }
}

TEST_CASE("bloom filter: golden bad bodies are refused", "[wire]") {
  for (auto c : axl::test::load_vectors("routing/bloom.json")["decode"].get_array()) {
    CAPTURE(text(c["name"]));
    CHECK(BloomFilter::decode(hex(c["body"])).ok() == c["ok"].get_bool().value());
  }
}
