#include <algorithm>
#include <axl/key.hpp>
#include <bit>
#include <charconv>

namespace axl {

namespace {

constexpr std::byte kAddressPrefix{0x02};
constexpr std::byte kSubnetPrefix{0x03};
constexpr std::size_t kKeyBits = 8 * PublicKey::kSize;

std::size_t leading_zeros(std::span<const std::byte, PublicKey::kSize> key) noexcept {
  std::size_t count = 0;
  for (const auto byte : key) {
    count += static_cast<std::size_t>(std::countl_zero(std::to_integer<std::uint8_t>(byte)));
    if (byte != std::byte{0}) break;
  }
  return count;
}

/// prefix, count of leading zeros, then the inverted bits behind the first 1 bit, whole bytes of them only.
void derive(const PublicKey& key, std::byte prefix, MutableByteSpan out) noexcept {
  const auto bits = key.bytes();
  const auto zeros = leading_zeros(bits);
  std::ranges::fill(out, std::byte{0});
  out[0] = prefix;
  out[1] = std::byte{static_cast<std::uint8_t>(zeros)};  // 256, of the all-zero key, is stored as 0
  for (std::size_t i = 2, bit = zeros + 1; i < out.size() && bit + 8 <= kKeyBits; ++i, bit += 8) {
    const auto at = bit / 8;
    const auto shift = bit % 8;
    auto value = bits[at] << shift;
    if (shift != 0) value |= bits[at + 1] >> (8 - shift);
    out[i] = ~value;
  }
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

}  // namespace axl
