#include "router/body_digest.hpp"

#include <catch2/catch_test_macros.hpp>
#include <algorithm>
#include <set>

#include "crypto/hash.hpp"

using namespace axl;
using namespace axl::router;

TEST_CASE("body digest: the same bytes give the same digest, wherever they lie", "[router]") {
  crypto::SeededRng rng{1};
  const BodyDigest digest{rng};
  Bytes body(1'000);
  rng.fill(body);
  Bytes shifted(body.size() + 7);
  for (std::size_t by = 0; by < 7; ++by) {
    std::copy(body.begin(), body.end(), shifted.begin() + static_cast<std::ptrdiff_t>(by));
    CHECK(digest(ByteSpan{shifted}.subspan(by, body.size())) == digest(body));
  }
}

TEST_CASE("body digest: of a body that arrives in pieces, and moves meanwhile", "[router]") {
  crypto::SeededRng rng{7};
  const BodyDigest digest{rng};
  for (const std::size_t size : {0, 1, 16, 63, 64, 65, 127, 1'000, 70'000}) {
    Bytes body(size);
    rng.fill(body);
    for (const std::size_t piece : {1, 15, 64, 100, 4'096}) {
      BodyDigest::Running running{digest};
      Bytes come;
      while (come.size() < size) {
        const auto next = ByteSpan{body}.subspan(come.size()).first(std::min(piece, size - come.size()));
        come.insert(come.end(), next.begin(), next.end());
        running.advance(come);
      }
      CHECK(running.finish(body) == digest(body));
    }
  }
}

TEST_CASE("body digest: every bit and the length count", "[router]") {
  crypto::SeededRng rng{2};
  const BodyDigest digest{rng};
  for (const std::size_t size : {1, 15, 16, 17, 63, 64, 65, 128, 200}) {
    std::set<BodyDigest::Digest> seen;
    Bytes body(size);
    seen.insert(digest(body));
    for (std::size_t bit = 0; bit < 8 * size; ++bit) {
      body[bit / 8] ^= std::byte{1} << (bit % 8);
      seen.insert(digest(body));
      body[bit / 8] ^= std::byte{1} << (bit % 8);
    }
    CHECK(seen.size() == 8 * size + 1);
  }
  std::set<BodyDigest::Digest> zeros;
  for (std::size_t size = 0; size < 300; ++size) zeros.insert(digest(Bytes(size)));
  CHECK(zeros.size() == 300);
}

TEST_CASE("body digest: blocks that change places are another body", "[router]") {
  crypto::SeededRng rng{3};
  const BodyDigest digest{rng};
  Bytes body(256);
  rng.fill(body);
  std::set<BodyDigest::Digest> seen{digest(body)};
  std::size_t swaps = 0;
  for (std::size_t first = 0; first < 32; ++first) {
    for (std::size_t second = first + 1; second < 32; ++second, ++swaps) {
      auto changed = body;
      std::swap_ranges(changed.begin() + static_cast<std::ptrdiff_t>(8 * first),
                       changed.begin() + static_cast<std::ptrdiff_t>(8 * first + 8),
                       changed.begin() + static_cast<std::ptrdiff_t>(8 * second));
      seen.insert(digest(changed));
    }
  }
  CHECK(seen.size() == swaps + 1);
}

TEST_CASE("body digest: depends on the secret", "[router]") {
  crypto::SeededRng rng{4};
  const BodyDigest one{rng};
  const BodyDigest other{rng};
  CHECK(one(Bytes(100)) != other(Bytes(100)));
}
