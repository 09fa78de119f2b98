#include <algorithm>
#include <axl/key.hpp>
#include <bit>
#include <charconv>
#include <cstdint>

#include "crypto/partial_key.hpp"

namespace axl {

namespace {

constexpr std::byte kAddressPrefix{0x02};
constexpr std::byte kSubnetPrefix{0x03};
constexpr std::size_t kKeyBits = 8 * PublicKey::kSize;

using Words = std::array<std::uint64_t, PublicKey::kSize / 8>;  // of a key, the first bits in the highest ones

std::uint64_t load_big_endian(const std::byte* at) noexcept {
  const auto byte = [at](std::size_t i) { return std::to_integer<std::uint64_t>(at[i]) << (56 - 8 * i); };
  return byte(0) | byte(1) | byte(2) | byte(3) | byte(4) | byte(5) | byte(6) | byte(7);
}

void store_big_endian(std::uint64_t value, std::byte* at) noexcept {
  const auto byte = [value](std::size_t i) { return static_cast<std::byte>(value >> (56 - 8 * i)); };
  at[0] = byte(0), at[1] = byte(1), at[2] = byte(2), at[3] = byte(3);
  at[4] = byte(4), at[5] = byte(5), at[6] = byte(6), at[7] = byte(7);
}

Words words_of(const PublicKey& key) noexcept {
  const auto* bits = key.bytes().data();
  return {load_big_endian(bits), load_big_endian(bits + 8), load_big_endian(bits + 16), load_big_endian(bits + 24)};
}

std::size_t leading_zeros(const Words& words) noexcept {
  std::size_t count = 0;
  for (const auto word : words) {
    count += static_cast<std::size_t>(std::countl_zero(word));
    if (word != 0) break;
  }
  return count;
}

// 64 bits from any place; those behind the end are zero.
std::uint64_t bits_at(const Words& words, std::size_t begin) noexcept {
  const auto word = [&](std::size_t index) { return index < words.size() ? words[index] : 0; };
  const auto at = begin / 64;
  const auto shift = begin % 64;
  return shift == 0 ? word(at) : word(at) << shift | word(at + 1) >> (64 - shift);
}

// How many whole bytes lie behind the first 1 bit, `room` of them at most.
std::size_t whole_bytes(std::size_t zeros, std::size_t room) noexcept {
  return zeros >= kKeyBits ? 0 : std::min(room, (kKeyBits - 1 - zeros) / 8);
}

/// prefix, count of leading zeros, then the inverted bits behind the first 1 bit, whole bytes of them only.
void derive(const PublicKey& key, std::byte prefix, MutableByteSpan out) noexcept {
  const auto words = words_of(key);
  const auto zeros = leading_zeros(words);
  std::ranges::fill(out, std::byte{0});
  out[0] = prefix;
  out[1] = std::byte{static_cast<std::uint8_t>(zeros)};  // 256, of the all-zero key, is stored as 0
  std::array<std::byte, Address::kSize> rest;  // more than any of the two takes
  store_big_endian(~bits_at(words, zeros + 1), rest.data());
  store_big_endian(~bits_at(words, zeros + 65), rest.data() + 8);
  std::copy_n(rest.begin(), whole_bytes(zeros, out.size() - 2), out.begin() + 2);
}

/// The other direction; what `derived` does not carry stays 1, what would lie behind the key's end is ignored.
PublicKey restore(ByteSpan derived) noexcept {
  std::array<std::byte, PublicKey::kSize> key{};
  const auto zeros = std::to_integer<std::size_t>(derived[1]);
  for (std::size_t i = zeros / 8; i < key.size(); ++i) key[i] = std::byte{0xff};
  key[zeros / 8] >>= zeros % 8;
  for (std::size_t i = 2, bit = zeros + 1; i < derived.size() && bit < kKeyBits; ++i, bit += 8) {
    const auto at = bit / 8;
    const auto shift = bit % 8;
    key[at] &= ~(derived[i] >> shift);
    if (shift != 0 && at + 1 < key.size()) key[at + 1] &= ~(derived[i] << (8 - shift));
  }
  return PublicKey{key};
}

/// RFC 5952: no leading zeros, the first longest run of two or more zero groups compressed.
std::string ipv6_text(std::span<const std::byte, Address::kSize> bytes) {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i] = std::to_integer<unsigned>(bytes[2 * i]) << 8 | std::to_integer<unsigned>(bytes[2 * i + 1]);
  }
  std::size_t run_begin = groups.size();
  std::size_t run_size = 1;
  for (std::size_t i = 0; i < groups.size();) {
    auto end = i;
    while (end < groups.size() && groups[end] == 0) ++end;
    if (end - i > run_size) {
      run_begin = i;
      run_size = end - i;
    }
    i = std::max(end, i + 1);
  }
  std::array<char, 40> text;
  auto* end = text.data();
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (i == run_begin) {
      *end++ = ':';
      *end++ = ':';
      i += run_size - 1;
      continue;
    }
    if (end != text.data() && end[-1] != ':') *end++ = ':';
    end = std::to_chars(end, text.data() + text.size(), groups[i], 16).ptr;
  }
  return std::string{text.data(), end};
}

}  // namespace

Address::Address(std::span<const std::byte, kSize> bytes) noexcept { std::ranges::copy(bytes, bytes_.begin()); }

Address Address::of(const PublicKey& key) noexcept {
  Address address;
  derive(key, kAddressPrefix, address.bytes_);
  return address;
}

std::string Address::to_string() const { return ipv6_text(bytes_); }

PublicKey Address::partial_key() const noexcept { return restore(bytes_); }

Subnet::Subnet(std::span<const std::byte, kSize> bytes) noexcept { std::ranges::copy(bytes, bytes_.begin()); }

Subnet Subnet::of(const PublicKey& key) noexcept {
  Subnet subnet;
  derive(key, kSubnetPrefix, subnet.bytes_);
  return subnet;
}

std::string Subnet::to_string() const {
  std::array<std::byte, Address::kSize> whole{};
  std::ranges::copy(bytes_, whole.begin());
  return ipv6_text(whole) + "/64";
}

PublicKey Subnet::partial_key() const noexcept { return restore(bytes_); }

bool is_partial(const PublicKey& key) noexcept {
  const auto bits = key.bytes();
  const auto words = words_of(key);
  const auto zeros = leading_zeros(words);
  if (zeros == kKeyBits) return false;
  const auto carried = zeros + 1 + 8 * whole_bytes(zeros, Address::kSize - 2);
  // From the end: any other key differs in its last bits.
  for (auto end = kKeyBits; end > carried;) {
    const auto at = (end - 1) / 8;
    const auto begin = std::max(carried, 8 * at);
    const auto mask = std::byte{0xff} >> (begin - 8 * at);
    if ((bits[at] & mask) != mask) return false;
    end = begin;
  }
  return true;
}

}  // namespace axl
