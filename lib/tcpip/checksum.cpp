#include "tcpip/checksum.hpp"

#include <cstring>

#include "arch/cc.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define AXL_HAVE_AVX2 1
#endif

namespace axl::tcpip {

namespace {

// Sums of `size` bytes, below 2^49: 32-bit words in memory order, an odd rest padded with zeros. With kCopy the bytes
// are also written to `to`.
template <bool kCopy>
std::uint64_t sum_words(unsigned char* to, const unsigned char* from, std::size_t size) noexcept {
  std::uint64_t even = 0;
  std::uint64_t odd = 0;
  const auto add = [&](std::uint64_t word) {
    even += word & 0xffff'ffffU;
    odd += word >> 32U;
  };
  for (; size >= 8; from += 8, size -= 8) {
    std::uint64_t word;
    std::memcpy(&word, from, 8);
    if constexpr (kCopy) {
      std::memcpy(to, &word, 8);
      to += 8;
    }
    add(word);
  }
  if (size > 0) {
    std::uint64_t word = 0;
    std::memcpy(&word, from, size);
    if constexpr (kCopy) std::memcpy(to, &word, size);
    add(word);
  }
  return even + odd;
}

std::uint16_t fold(std::uint64_t sum) noexcept {
  while (sum > 0xffffU) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(sum);
}

#ifdef AXL_HAVE_AVX2
template <bool kCopy>
__attribute__((target("avx2"))) std::uint64_t sum_words_avx2(unsigned char* to, const unsigned char* from,
                                                             std::size_t size) noexcept {
  const __m256i low = _mm256_set1_epi64x(0xffff'ffff);
  __m256i a = _mm256_setzero_si256();
  __m256i b = _mm256_setzero_si256();
  __m256i c = _mm256_setzero_si256();
  __m256i d = _mm256_setzero_si256();
  for (; size >= 64; from += 64, size -= 64) {
    const __m256i first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    const __m256i second = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from + 32));
    if constexpr (kCopy) {
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), first);
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + 32), second);
      to += 64;
    }
    a = _mm256_add_epi64(a, _mm256_and_si256(first, low));
    b = _mm256_add_epi64(b, _mm256_srli_epi64(first, 32));
    c = _mm256_add_epi64(c, _mm256_and_si256(second, low));
    d = _mm256_add_epi64(d, _mm256_srli_epi64(second, 32));
  }
  alignas(32) std::uint64_t lanes[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes),
                     _mm256_add_epi64(_mm256_add_epi64(a, b), _mm256_add_epi64(c, d)));
  return lanes[0] + lanes[1] + lanes[2] + lanes[3] + sum_words<kCopy>(to, from, size);
}

const bool have_avx2 = [] {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") != 0;
}();
#endif

template <bool kCopy>
std::uint16_t sum(void* to, const void* from, std::size_t size) noexcept {
  auto* const target = static_cast<unsigned char*>(to);
  const auto* const source = static_cast<const unsigned char*>(from);
#ifdef AXL_HAVE_AVX2
  if (size >= 128 && have_avx2) return fold(sum_words_avx2<kCopy>(target, source, size));
#endif
  return fold(sum_words<kCopy>(target, source, size));
}

}  // namespace

std::uint16_t sum_of(const void* data, std::size_t size) noexcept { return sum<false>(nullptr, data, size); }

std::uint16_t copy_and_sum(void* to, const void* from, std::size_t size) noexcept { return sum<true>(to, from, size); }

}  // namespace axl::tcpip

// What lwIP calls, for ICMPv6.
extern "C" std::uint16_t axl_lwip_checksum(const void* data, int length) {
  return length <= 0 ? 0 : axl::tcpip::sum_of(data, static_cast<std::size_t>(length));
}
