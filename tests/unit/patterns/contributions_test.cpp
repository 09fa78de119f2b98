#include "patterns/contributions.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace axl;
using namespace std::chrono_literals;
using patterns::Contributions;

namespace {
constexpr Time t0{};
const std::vector<Contribution> one{{"", Number{1}}};
}  // namespace

TEST_CASE("contributions: values are there until their time is over, or they are taken back", "[patterns]") {
  Contributions kept;
  REQUIRE(kept.set("short", one, t0 + 5s, t0));
  REQUIRE(kept.set("long", one, std::nullopt, t0));
  CHECK(kept.find("short", t0 + 4999ms) != nullptr);
  CHECK(kept.find("short", t0 + 5s) == nullptr);
  CHECK_FALSE(kept.remove("short", t0 + 5s));
  CHECK(kept.all(t0 + 24h * 365).size() == 1);
  CHECK(kept.remove("long", t0 + 5s));
  CHECK(kept.all(t0 + 5s).empty());
}

TEST_CASE("contributions: they are bounded; those that are there may be replaced, and make room when their time is over",
          "[patterns]") {
  Contributions kept;
  for (std::size_t i = 0; i < Contributions::kMax; ++i) REQUIRE(kept.set(std::to_string(i), one, t0 + 5s, t0));
  CHECK(kept.set("more", one, std::nullopt, t0).error().is(Errc::limit_reached));
  CHECK(kept.set("0", {{"", Number{2}}}, std::nullopt, t0));
  CHECK(std::get<Number>(kept.find("0", t0)->values[0].value) == Number{2});
  CHECK(kept.set("more", one, std::nullopt, t0 + 5s));
  CHECK(kept.all(t0 + 5s).size() == 2);
}
