#include <algorithm>
#include <iterator>

#include "convergecast/codec.hpp"

namespace axl::convergecast {

void Marks::add_missing(const PublicKey& key) {
  Marks one;
  one.missing = 1;
  one.missing_keys = {key};
  add(one);
}

void Marks::add(const Marks& more) {
  const auto plus = [](std::uint64_t a, std::uint64_t b) { return std::min(a + b, kMaxNodes); };
  contributed = plus(contributed, more.contributed);
  abstained = plus(abstained, more.abstained);
  missing = plus(missing, more.missing);
  settling = settling || more.settling;
  truncated = truncated || more.truncated;
  std::vector<PublicKey> keys;
  std::ranges::set_union(missing_keys, more.missing_keys, std::back_inserter(keys));
  keys.resize(std::min(keys.size(), kMaxMissingKeys));
  missing_keys = std::move(keys);
}

}  // namespace axl::convergecast
