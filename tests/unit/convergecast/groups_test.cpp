#include "convergecast/groups.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <random>

using namespace axl;
using namespace axl::convergecast;
using Kind = Operation::Kind;

namespace {

PublicKey key(unsigned number) {
  std::array<std::byte, 32> bytes{};
  bytes[0] = static_cast<std::byte>(number >> 8);
  bytes[1] = static_cast<std::byte>(number);
  return PublicKey{bytes};
}

Groups own(unsigned node, const Operation& operation, const std::string& group, const Number& value) {
  return groups_of(key(node), operation, {{group, value}}).value();
}

}  // namespace

TEST_CASE("groups: whatever the order, built-in operations come to the same", "[convergecast]") {
  std::mt19937_64 random{5};
  for (const auto kind : {Kind::count, Kind::sum, Kind::min, Kind::max, Kind::mean, Kind::top}) {
    const Operation operation{kind, static_cast<std::uint16_t>(kind == Kind::top ? 5 : 0), {}};
    std::vector<Groups> parts;
    for (unsigned node = 0; node < 60; ++node) {
      const auto value = Number::from_double(static_cast<double>(random() % 40) / 8).value();
      parts.push_back(own(node, operation, std::string(1, static_cast<char>('a' + node % 3)), value));
    }
    std::optional<Groups> expected;
    for (int round = 0; round < 10; ++round) {
      std::ranges::shuffle(parts, random);
      auto left = parts;
      bool truncated = false;
      while (left.size() > 1) {  // any two of them, as a tree of any shape does
        const auto a = random() % left.size();
        const auto taken = left[a];
        left.erase(left.begin() + static_cast<std::ptrdiff_t>(a));
        REQUIRE(merge_into(left[random() % left.size()], taken, operation, nullptr, truncated));
      }
      if (!expected) expected = left[0];
      CHECK(left[0] == *expected);
      CHECK_FALSE(truncated);
    }
    CHECK(expected->size() == 3);
  }
}

TEST_CASE("groups: of too many the first by name stay, and are whole", "[convergecast]") {
  const Operation sum{Kind::sum, 0, {}};
  Groups all;
  bool truncated = false;
  for (unsigned node = 0; node < 400; ++node) {
    auto name = std::to_string(1000 + (node * 7) % 400);
    REQUIRE(merge_into(all, own(node, sum, name, Number{1}), sum, nullptr, truncated));
    REQUIRE(merge_into(all, own(node, sum, "1000", Number{1}), sum, nullptr, truncated));
  }
  CHECK(truncated);
  CHECK(all.size() == kMaxAggregationGroups);
  CHECK(all.begin()->first == "1000");
  CHECK(all.begin()->second.sum.value() == Number{401});
  CHECK(all.rbegin()->first == "1255");
}

TEST_CASE("groups: top ranks by value, then by key", "[convergecast]") {
  const Operation top{Kind::top, 2, {}};
  Groups all;
  bool truncated = false;
  for (const unsigned node : {9u, 4u, 7u}) {
    REQUIRE(merge_into(all, own(node, top, "", Number{5}), top, nullptr, truncated));
  }
  REQUIRE(merge_into(all, own(1, top, "", Number{3}), top, nullptr, truncated));
  const auto list = aggregates(all, top);
  REQUIRE(list.size() == 1);
  CHECK(list[0].count == 4);
  CHECK(list[0].top == std::vector<Aggregate::Ranked>{{Number{5}, key(4)}, {Number{5}, key(7)}});
}

TEST_CASE("groups: a custom merge may refuse, and then nothing has happened", "[convergecast]") {
  const Operation custom{Kind::custom, 0, "join"};
  const Merge join = [](ByteSpan a, ByteSpan b) -> std::optional<Bytes> {
    if (as_text(b) == "bad") return std::nullopt;
    return to_bytes(std::string{as_text(a)} + std::string{as_text(b)});
  };
  auto all = groups_of(key(1), custom, {{"", to_bytes("a")}}).value();
  bool truncated = false;
  REQUIRE(merge_into(all, groups_of(key(2), custom, {{"", to_bytes("b")}}).value(), custom, &join, truncated));
  const auto before = all;
  CHECK_FALSE(merge_into(all, groups_of(key(3), custom, {{"", to_bytes("bad")}}).value(), custom, &join, truncated));
  CHECK_FALSE(merge_into(all, before, custom, nullptr, truncated));
  CHECK(all == before);
  const auto large = groups_of(key(4), custom, {{"", Bytes(kMaxAggregationBytes)}}).value();
  CHECK_FALSE(merge_into(all, large, custom, &join, truncated));
  CHECK(as_text(aggregates(all, custom).at(0).bytes) == "ab");
}

TEST_CASE("groups: what makes no sense is refused with a reason", "[convergecast]") {
  const Operation sum{Kind::sum, 0, {}};
  const Operation custom{Kind::custom, 0, "join"};
  const auto code = [](const Result<Groups>& result) { return result.error().code(); };
  CHECK(code(groups_of(key(1), sum, {{"", Bytes{}}})) == make_error_code(Errc::invalid_argument));
  CHECK(code(groups_of(key(1), custom, {{"", Number{1}}})) == make_error_code(Errc::invalid_argument));
  CHECK(code(groups_of(key(1), sum, {{"a", Number{1}}, {"a", Number{2}}})) == make_error_code(Errc::invalid_argument));
  CHECK(code(groups_of(key(1), sum, {{std::string(65, 'a'), Number{1}}})) == make_error_code(Errc::invalid_argument));
  CHECK(code(groups_of(key(1), sum, {{"\x1b[2J", Number{1}}})) == make_error_code(Errc::invalid_argument));
  CHECK(code(groups_of(key(1), custom, {{"", Bytes(kMaxAggregationBytes + 1)}})) == make_error_code(Errc::too_large));
  using namespace std::chrono_literals;
  CHECK(check({"load", sum, 10s, false}));
  CHECK_FALSE(check({"", sum, 10s, false}));
  CHECK_FALSE(check({"load", sum, 10ms, false}));
  CHECK_FALSE(check({"load", sum, 2min, false}));
  CHECK_FALSE(check({"load", {Kind::top, 0, {}}, 10s, false}));
  CHECK_FALSE(check({"load", {Kind::top, 65, {}}, 10s, false}));
  CHECK_FALSE(check({"load", {Kind::sum, 3, {}}, 10s, false}));
  CHECK_FALSE(check({"load", {Kind::custom, 0, ""}, 10s, false}));
  CHECK_FALSE(check({"load", {Kind::sum, 0, "join"}, 10s, false}));
  CHECK_FALSE(check({"load", {static_cast<Kind>(9), 0, ""}, 10s, false}));
}
