#include "services/service_table.hpp"

#include <catch2/catch_test_macros.hpp>

using axl::Errc;
using axl::PrivateKey;
using axl::services::Backend;
using axl::services::Service;
using axl::services::ServiceTable;

namespace {

class NoUpstream final : public axl::http::Upstream {
 public:
  std::unique_ptr<Waiting> acquire(const axl::http::Client&, bool, LeaseHandler) override { return nullptr; }
};

Service named(std::string name, axl::ServiceAccess access = {}) {
  Service service;
  service.info.name = std::move(name);
  service.access = std::move(access);
  service.backend.upstream = std::make_shared<NoUpstream>();
  return service;
}

std::string found(const ServiceTable& table, std::string_view path) {
  const auto match = table.match(path);
  return match ? match->service->info.name + "|" + match->suffix : "none";
}

}  // namespace

TEST_CASE("service table: the longest name that ends at a slash wins", "[services]") {
  ServiceTable table;
  REQUIRE(table.add(named("team")));
  REQUIRE(table.add(named("team/weather")));
  CHECK(found(table, "team") == "team|");
  CHECK(found(table, "team/") == "team|/");
  CHECK(found(table, "team/x") == "team|/x");
  CHECK(found(table, "team/weather") == "team/weather|");
  CHECK(found(table, "team/weather/a/b") == "team/weather|/a/b");
  CHECK(found(table, "team/weatherman") == "team|/weatherman");
  CHECK(found(table, "teams") == "none");
  CHECK(found(table, "") == "none");
  CHECK(found(table, "/team") == "none");
}

TEST_CASE("service table: names are found by their encoded form, suffixes stay as written", "[services]") {
  ServiceTable table;
  REQUIRE(table.add(named("my tool/ä")));
  CHECK(found(table, "my%20tool%2F%c3%a4/x%20y") == "my tool/ä|/x%20y");
  CHECK(found(table, "my%20tool/%c3%a4") == "my tool/ä|");
  CHECK(found(table, "my%2") == "none");
}

TEST_CASE("service table: no suffix leaves the endpoint's path", "[services]") {
  ServiceTable table;
  REQUIRE(table.add(named("a")));
  for (const auto* suffix :
       {"/../b", "/..", "/%2e%2e/b", "/%2E./b", "/x%2fy", "/x%2Fy", "/..%5cb", "/\\..", "/%5C", "/a%00"}) {
    CAPTURE(suffix);
    CHECK_FALSE(table.match(std::string{"a"} + suffix));
  }
  CHECK(table.match("a/.well-known/x"));
  CHECK(table.match("a/%25"));
  CHECK(table.match("a/%2"));
}

TEST_CASE("service table: bad names are refused", "[services]") {
  ServiceTable table;
  for (const std::string name : {"", "/", "a/", "/a", "a//b", "..", "a/../b", "a/.", "a\nb", "\x7f"}) {
    CAPTURE(name);
    const auto added = table.add(named(name));
    REQUIRE_FALSE(added);
    CHECK(added.error().is(Errc::invalid_argument));
  }
  CHECK_FALSE(table.add(named(std::string(257, 'a'))));
  CHECK(table.add(named(std::string(256, 'a'))));
  CHECK(table.match(std::string(256, 'a') + "/" + std::string(60'000, 'b')));
}

TEST_CASE("service table: it holds so many and no more, but replaces", "[services]") {
  ServiceTable table;
  for (std::size_t i = 0; i < ServiceTable::kMaxServices; ++i) REQUIRE(table.add(named("s" + std::to_string(i))));
  const auto refused = table.add(named("one more"));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().is(Errc::limit_reached));
  CHECK(table.add(named("s7")));
  CHECK(table.remove("s7"));
  CHECK_FALSE(table.remove("s7"));
  CHECK(table.add(named("one more")));
}

TEST_CASE("service table: an allow list names full keys, and only they may use the service", "[services]") {
  const auto friendly = PrivateKey::generate().public_key();
  const auto stranger = PrivateKey::generate().public_key();
  ServiceTable table;
  REQUIRE(table.add(named("open")));
  REQUIRE(table.add(named("closed", {.everyone = false, .allow = {friendly}})));
  CHECK(ServiceTable::allows(*table.find("open"), stranger));
  CHECK(ServiceTable::allows(*table.find("closed"), friendly));
  CHECK_FALSE(ServiceTable::allows(*table.find("closed"), stranger));
  CHECK(table.list_for(stranger).size() == 1);
  CHECK(table.list_for(friendly).size() == 2);

  const auto partial = axl::Address::of(friendly).partial_key();
  CHECK_FALSE(table.add(named("partial", {.everyone = false, .allow = {partial}})));
}

TEST_CASE("service table: health is a mark on the entry, also for who holds it already", "[services]") {
  ServiceTable table;
  REQUIRE(table.add(named("a")));
  const auto held = table.find("a");
  table.set_healthy("a", false);
  table.set_healthy("unknown", false);
  CHECK_FALSE(held->info.healthy);
  CHECK_FALSE(table.list().front().healthy);
}
