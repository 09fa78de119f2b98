#include "overlay/bloom.hpp"

#include <sodium.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "overlay/filters.hpp"
#include "overlay_support.hpp"

using namespace axl;
using namespace axl::overlay;
using namespace axl::overlay::test;

namespace {

PublicKey hashed_key(std::uint64_t i) {
  const auto name = "key-" + std::to_string(i);
  Bytes digest(32);
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(digest.data()),
                     reinterpret_cast<const unsigned char*>(name.data()), name.size());
  return PublicKey{std::span<const std::byte, 32>{digest}};
}

std::vector<std::uint64_t> bits_of(const wire::BloomFilter& filter) {
  std::vector<std::uint64_t> bits;
  for (std::size_t bit = 0; bit < 8192; ++bit) {
    if ((filter.words[bit / 64] >> bit % 64 & 1) != 0) bits.push_back(bit);
  }
  return bits;
}

std::vector<std::uint64_t> sorted_positions(const PublicKey& key) {
  const BloomBits bits{key};
  std::vector<std::uint64_t> sorted{bits.positions().begin(), bits.positions().end()};
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return sorted;
}

std::vector<std::uint64_t> numbers(simdjson::dom::element list) {
  std::vector<std::uint64_t> values;
  for (const auto value : list.get_array()) values.push_back(u64(value));
  return values;
}

Bytes body(const wire::BloomFilter& filter) { return to_bytes(filter.encode().span().subspan(1)); }

}  // namespace

TEST_CASE("bloom: a key's hash and bits are the recorded ones", "[overlay]") {
  std::size_t checked = 0;
  for (const auto entry : load_vectors("routing/bloom.json")["keys"].get_array()) {
    const auto key = public_key(entry["key"]);
    const auto values = bloom_hash(key);
    std::size_t i = 0;
    for (const auto value : entry["locations64_hex"].get_array()) {
      CHECK(values.at(i++) == std::stoull(std::string{text(value)}, nullptr, 16));
    }
    CHECK(i == 8);
    const auto positions = numbers(entry["positions"]);
    CHECK(std::equal(positions.begin(), positions.end(), BloomBits{key}.positions().begin()));
    CHECK(sorted_positions(key) == numbers(entry["bits_sorted"]));
    ++checked;
  }
  CHECK(checked == 16);
}

TEST_CASE("bloom: filters of known keys have the recorded bytes", "[overlay]") {
  std::size_t checked = 0;
  for (const auto entry : load_vectors("routing/bloom.json")["filters"].get_array()) {
    const std::string name{text(entry["name"])};
    INFO(name);
    wire::BloomFilter filter;
    if (axl::test::has(entry, "keys")) {
      for (const auto key : entry["keys"].get_array()) BloomBits{public_key(key)}.add_to(filter);
    } else if (name.starts_with("sha256_keys_")) {
      const auto count = std::stoul(name.substr(12));
      for (std::uint64_t i = 0; i < count; ++i) {
        BloomBits{hashed_key(i)}.add_to(filter);
        CHECK(BloomBits{hashed_key(i)}.in(filter));
      }
    } else if (name == "full") {
      filter.words.fill(~std::uint64_t{0});
    } else {
      REQUIRE(name == "mixed");
      for (const auto word : {0u, 9u, 127u}) filter.words.at(word) = ~std::uint64_t{0};
      for (const auto bit : numbers(entry["extra_bits"])) filter.words.at(bit / 64) |= std::uint64_t{1} << bit % 64;
    }
    CHECK(bits_of(filter).size() == u64(entry["bits_set"]));
    CHECK(to_hex(body(filter)) == text(entry["encoded"]));
    ++checked;
  }
  CHECK(checked == 9);
}

TEST_CASE("bloom: decoders take and refuse the recorded bodies", "[overlay]") {
  for (const auto entry : load_vectors("routing/bloom.json")["decode"].get_array()) {
    INFO(text(entry["name"]));
    CHECK(wire::BloomFilter::decode(hex(entry["body"])).ok() == entry["ok"].get_bool().value());
  }
}

TEST_CASE("bloom: keys are transformed as the network does", "[overlay]") {
  for (const auto entry : load_vectors("routing/bloom.json")["transform"].get_array()) {
    const auto key = public_key(entry["key"]);
    const auto transformed = transform_key(key, KeyTransform::subnet);
    CHECK(transformed.to_hex() == text(entry["transformed"]));
    CHECK(transform_key(transformed, KeyTransform::subnet) == transformed);
    if (axl::test::has(entry, "bits_sorted")) CHECK(sorted_positions(transformed) == numbers(entry["bits_sorted"]));
    CHECK(transform_key(key, KeyTransform::identity) == key);
  }
}

namespace {

wire::BloomFilter filter_of(std::initializer_list<std::uint64_t> keys) {
  wire::BloomFilter filter;
  for (const auto i : keys) BloomBits{hashed_key(i)}.add_to(filter);
  return filter;
}

}  // namespace

TEST_CASE("filters: a parent and a child get what the reference sent them, tick by tick", "[overlay]") {
  const auto vectors = load_vectors("routing/bloom_exchange.json");
  const auto parent = public_key(vectors["parent"]);
  const auto child = public_key(vectors["child"]);
  auto config = Config::reference();
  config.key_transform = KeyTransform::identity;
  Filters filters{config, public_key(vectors["self"])};
  filters.add(parent);
  filters.add(child);
  bool child_on_tree = true;
  wire::BloomFilter previous;
  // What each step's note tells, before its tick.
  const std::map<std::string, std::function<void()>> changes{
      {"child filter now {key-1,key-2}: parent gets them",
       [&] {
         filters.received(child, filter_of({1, 2}), previous);
       }},
      {"child removed key-2: nothing is sent (kept ones)", [&] { filters.received(child, filter_of({1}), previous); }},
      {"child adds key-3: sent as union with the stale bits of key-2, dirty mark kept",
       [&] {
         filters.received(child, filter_of({1, 3}), previous);
       }},
      {"child left the tree (its parent is now another node): a blank filter goes to it",
       [&] { child_on_tree = false; }},
      {"child came back: its stored received filter counts again", [&] { child_on_tree = true; }}};
  std::size_t applied = 0;
  for (const auto step : vectors["steps"].get_array()) {
    const std::string note{text(step["note"])};
    INFO(note);
    if (const auto change = changes.find(note); change != changes.end()) {
      change->second();
      ++applied;
    }
    const auto result = filters.tick([&](const PublicKey& key) { return key == parent || child_on_tree; }, true);
    for (const auto& [name, key] : {std::pair{"parent", parent}, std::pair{"child", child}}) {
      const auto expected = step[name];
      CHECK(filters.on_tree(key) == expected["on_tree"].get_bool().value());
      CHECK(bits_of(filters.sent(key)) == numbers(expected["send_filter_bits"]));
      CHECK(filters.dirty(key) == expected["z_dirty"].get_bool().value());
      const bool blanked = key == child && note.starts_with("child left");  // sent by another rule
      CHECK(std::ranges::count(result.send, key) ==
            (expected["changed_so_sent"].get_bool().value() || blanked ? 1 : 0));
    }
  }
  CHECK(applied == changes.size());
}

TEST_CASE("filters: removed bits follow on the next tick, unlike in the reference", "[overlay][limits]") {
  const auto parent = hashed_key(100);
  const auto child = hashed_key(101);
  for (const bool strict : {true, false}) {
    Config config;
    config.strict_filter_zeros = strict;
    Filters filters{config, hashed_key(102)};
    filters.add(parent);
    filters.add(child);
    const auto tick = [&] { return filters.tick([](const PublicKey&) { return true; }, true).send; };
    wire::BloomFilter previous;
    filters.received(child, filter_of({1, 2}), previous);
    CHECK(tick().size() == 2);
    CHECK(filters.received(child, filter_of({1}), previous) == Filters::Change::bits_removed);
    CHECK(tick().empty());
    CHECK(tick() == (strict ? std::vector{parent} : std::vector<PublicKey>{}));
    CHECK(BloomBits{hashed_key(2)}.in(filters.sent(parent)) != strict);
    CHECK(tick().empty());
  }
}

TEST_CASE("filters: an unchanged filter is sent again after the resend time", "[overlay]") {
  Config config;
  config.bloom_resend = 5;
  Filters filters{config, hashed_key(1)};
  filters.add(hashed_key(2));
  std::vector<int> sent;
  for (int i = 0; i < 12; ++i) {
    if (!filters.tick([](const PublicKey&) { return true; }, true).send.empty()) sent.push_back(i);
    filters.tick([](const PublicKey&) { return true; }, false);  // early ticks do not count
  }
  CHECK(sent == std::vector{0, 5, 10});
}

TEST_CASE("filters: how full they are is said of the fullest one that lookups follow", "[overlay]") {
  Filters filters{Config{}, hashed_key(1)};
  const auto light = hashed_key(2);
  const auto heavy = hashed_key(3);
  const auto aside = hashed_key(4);
  for (const auto& key : {light, heavy, aside}) filters.add(key);
  CHECK(filters.fill() == 0);
  wire::BloomFilter previous;
  wire::BloomFilter half;
  std::fill_n(half.words.begin(), half.words.size() / 2, ~std::uint64_t{0});
  wire::BloomFilter all;
  all.words.fill(~std::uint64_t{0});
  filters.received(light, filter_of({1}), previous);
  filters.received(heavy, half, previous);
  filters.received(aside, all, previous);
  CHECK(filters.fill() == 0);  // none is on the tree yet
  filters.tick([&](const PublicKey& key) { return key != aside; }, true);
  CHECK(filters.fill() == 0.5);
  filters.remove(heavy);
  CHECK(filters.fill() == static_cast<double>(bits_of(filter_of({1})).size()) / 8192);
}

TEST_CASE("filters: a lookup goes to the matching neighbours on the tree, not back", "[overlay]") {
  Filters filters{Config{}, hashed_key(1)};
  wire::BloomFilter previous;
  wire::BloomFilter all;
  all.words.fill(~std::uint64_t{0});
  std::vector<PublicKey> keys{hashed_key(2), hashed_key(3), hashed_key(4), hashed_key(5)};
  std::sort(keys.begin(), keys.end());
  for (const auto& key : keys) filters.add(key);
  for (const auto& key : {keys[0], keys[1], keys[3]}) filters.received(key, all, previous);
  filters.tick([&](const PublicKey& key) { return key != keys[3]; }, true);
  const BloomBits target{hashed_key(9)};
  CHECK(filters.targets(target, nullptr) == std::vector{keys[0], keys[1]});
  CHECK(filters.targets(target, &keys[0]) == std::vector{keys[1]});
}
