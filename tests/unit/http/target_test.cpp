#include "http/target.hpp"

#include <catch2/catch_test_macros.hpp>

using axl::http::clean_path;
using axl::http::percent_decode;
using axl::http::query_value;
using axl::http::Target;

TEST_CASE("target: the four forms are split and left as written", "[http]") {
  const auto origin = Target::parse("/a%2fb/c?x=1&y=?").value();
  CHECK(origin.path() == "/a%2fb/c");
  CHECK(origin.query() == "x=1&y=?");
  CHECK_FALSE(origin.authority());

  const auto absolute = Target::parse("HTTP://host:80/p?q").value();
  CHECK(absolute.path() == "/p");
  CHECK(absolute.query() == "q");
  CHECK(absolute.authority() == "host:80");

  const auto bare = Target::parse("http://host?q").value();
  CHECK(bare.path() == "/");
  CHECK(bare.query() == "q");
  CHECK(bare.authority() == "host");

  CHECK(Target::parse("*").value().path() == "*");
  CHECK(Target::parse("host:443").value().authority() == "host:443");
  CHECK(Target::parse("host:443").value().path().empty());
  CHECK(Target::parse("/p?").value().has_query());
  CHECK_FALSE(Target::parse("/p").value().has_query());
}

TEST_CASE("target: what is no target is refused", "[http]") {
  for (const auto* bad : {"", "http:///p", "http://", "a/b", "/a b", "/a#b", "/a\r\n", "/a\x7f", "?x"}) {
    CHECK_FALSE(Target::parse(bad));
  }
}

TEST_CASE("path: empty, one-dot and two-dot segments go, a slash at the end stays", "[http]") {
  CHECK(clean_path("//topology") == "/topology");
  CHECK(clean_path("/mcp//svc") == "/mcp/svc");
  CHECK(clean_path("/a/./b/") == "/a/b/");
  CHECK(clean_path("/a/../../b") == "/b");
  CHECK(clean_path("/a/..") == "/");
  CHECK(clean_path("/a/b/..") == "/a");
  CHECK(clean_path("/a/.") == "/a");
  CHECK(clean_path("/..") == "/");
  CHECK(clean_path("/a/%2e%2e/b") == "/a/%2e%2e/b");
  CHECK(clean_path("") == "/");
  CHECK(clean_path("/.a/..b/") == "/.a/..b/");
}

TEST_CASE("percent: decoding refuses half escapes, encoding round-trips every byte", "[http]") {
  CHECK(percent_decode("ec%68o") == "echo");
  CHECK(percent_decode("a+b%2B", true) == "a b+");
  CHECK(percent_decode("a+b") == "a+b");
  CHECK_FALSE(percent_decode("%"));
  CHECK_FALSE(percent_decode("%4"));
  CHECK_FALSE(percent_decode("%4g"));
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  CHECK(percent_decode(axl::http::percent_encode(all)) == all);
}

TEST_CASE("query: the first value of a name, decoded", "[http]") {
  CHECK(query_value("wait=30&wait=40", "wait") == "30");
  CHECK(query_value("a=1&w%61it=3%30", "wait") == "30");
  CHECK(query_value("wait", "wait") == "");
  CHECK_FALSE(query_value("await=1", "wait"));
  CHECK_FALSE(query_value("", "wait"));
  CHECK(query_value("x=%zz&x=2", "x") == "2");
}
