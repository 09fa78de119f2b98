// The internet checksum that lwIP calls for every segment (RFC 1071): the sum may be formed over wide words, since
// carries are folded in at the end.
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "arch/cc.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define AXL_HAVE_AVX2 1
#endif

namespace {

/// The sum of `length` bytes, below 2^49: 32-bit words in memory order, an odd rest padded with zeros.
std::uint64_t sum_words(const unsigned char* data, std::size_t length) noexcept {
  std::uint64_t even = 0;
  std::uint64_t odd = 0;
  for (; length >= 8; data += 8, length -= 8) {
    std::uint64_t word;
    std::memcpy(&word, data, 8);
    even += word & 0xffff'ffffU;
    odd += word >> 32U;
  }
  if (length > 0) {
    std::uint64_t word = 0;
    std::memcpy(&word, data, length);
    even += word & 0xffff'ffffU;
    odd += word >> 32U;
  }
  return even + odd;
}

std::uint16_t fold(std::uint64_t sum) noexcept {
  while (sum > 0xffffU) sum = (sum & 0xffffU) + (sum >> 16U);
  return static_cast<std::uint16_t>(sum);
}

#ifdef AXL_HAVE_AVX2
__attribute__((target("avx2"))) std::uint64_t sum_words_avx2(const unsigned char* data, std::size_t length) noexcept {
  const __m256i low = _mm256_set1_epi64x(0xffff'ffff);
  __m256i a = _mm256_setzero_si256();
  __m256i b = _mm256_setzero_si256();
  __m256i c = _mm256_setzero_si256();
  __m256i d = _mm256_setzero_si256();
  std::size_t left = length;
  for (; left >= 64; data += 64, left -= 64) {
    const __m256i first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(data));
    const __m256i second = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(data + 32));
    a = _mm256_add_epi64(a, _mm256_and_si256(first, low));
    b = _mm256_add_epi64(b, _mm256_srli_epi64(first, 32));
    c = _mm256_add_epi64(c, _mm256_and_si256(second, low));
    d = _mm256_add_epi64(d, _mm256_srli_epi64(second, 32));
  }
  alignas(32) std::uint64_t lanes[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(lanes),
                     _mm256_add_epi64(_mm256_add_epi64(a, b), _mm256_add_epi64(c, d)));
  return lanes[0] + lanes[1] + lanes[2] + lanes[3] + sum_words(data, left);
}

const bool have_avx2 = [] {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") != 0;
}();
#endif

}  // namespace

extern "C" std::uint16_t axl_lwip_checksum(const void* data, int length) {
  if (length <= 0) return 0;
  const auto* bytes = static_cast<const unsigned char*>(data);
  const auto size = static_cast<std::size_t>(length);
#ifdef AXL_HAVE_AVX2
  if (size >= 128 && have_avx2) return fold(sum_words_avx2(bytes, size));
#endif
  return fold(sum_words(bytes, size));
}
