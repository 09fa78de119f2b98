#include "http/headers.hpp"

#include <catch2/catch_test_macros.hpp>

#include "http/forwarding.hpp"
#include "http/text.hpp"

using axl::http::Headers;

TEST_CASE("headers: names are looked up without case, order and repeats are kept", "[http]") {
  Headers headers{{"X-One", "1"}, {"Content-Type", "text/plain"}, {"x-one", "2"}};
  CHECK(headers.get("X-ONE") == "1");
  CHECK(headers.get_all("x-One") == std::vector<std::string_view>{"1", "2"});
  CHECK(headers.count("x-one") == 2);
  CHECK_FALSE(headers.get("X-On"));
  std::string order;
  for (const auto& line : headers) order += std::string{line.name} + "=" + std::string{line.value} + ";";
  CHECK(order == "X-One=1;Content-Type=text/plain;x-one=2;");
}

TEST_CASE("headers: set replaces all, remove removes all", "[http]") {
  Headers headers{{"A", "1"}, {"B", "2"}, {"a", "3"}};
  CHECK(headers.set("A", "4"));
  CHECK(headers.size() == 2);
  CHECK(headers.get("a") == "4");
  CHECK(headers.set("B", *headers.get("A")));  // a value that lies in the object itself
  CHECK(headers.get("B") == "4");
  for (int i = 0; i < 100; ++i) REQUIRE(headers.add("Copy", *headers.get("A")));
  CHECK(headers.get_all("Copy") == std::vector<std::string_view>(100, "4"));
  headers.remove("Copy");
  CHECK(headers.remove("b") == 1);
  CHECK(headers.remove("b") == 0);
  CHECK(headers.size() == 1);
}

TEST_CASE("headers: nothing that could end a line gets in", "[http]") {
  Headers headers;
  CHECK_FALSE(headers.add("X", "a\r\nInjected: yes"));
  CHECK_FALSE(headers.add("X", "a\nb"));
  CHECK_FALSE(headers.add("X", std::string_view{"a\0b", 3}));
  CHECK_FALSE(headers.add_line("X\r\nY", "a"));
  CHECK_FALSE(headers.add_line("X Y", "a"));
  CHECK_FALSE(headers.add_line("X:", "a"));
  CHECK_FALSE(headers.add_line("", "a"));
  CHECK_FALSE(headers.set("X", "a\r"));
  CHECK(headers.empty());
  CHECK(headers.add("X", " \t a\tb \xc3\xa9 "));  // tabs, UTF-8; blanks at the ends go
  CHECK(headers.get("X") == "a\tb \xc3\xa9");
  CHECK(headers.add("Y", ""));
}

TEST_CASE("headers: tokens are found in comma-separated lists of every line", "[http]") {
  const Headers headers{{"Connection", "keep-alive, Upgrade"}, {"connection", " ,x-y ,"}};
  CHECK(headers.has_token("Connection", "upgrade"));
  CHECK(headers.has_token("Connection", "X-Y"));
  CHECK_FALSE(headers.has_token("Connection", "close"));
  CHECK_FALSE(headers.has_token("Connection", "keep"));
}

TEST_CASE("text: decimal numbers are digits only and do not overflow", "[http]") {
  using axl::http::parse_decimal;
  CHECK(parse_decimal("0") == 0);
  CHECK(parse_decimal("18446744073709551615") == 18446744073709551615ULL);
  for (const auto* bad : {"", "+1", "-1", " 1", "1 ", "0x1", "18446744073709551616", "99999999999999999999999"}) {
    CHECK_FALSE(parse_decimal(bad));
  }
}

TEST_CASE("forwarding: headers of the connection go, and those that it names", "[http]") {
  Headers headers{{"Connection", "close, X-Mine"},
                  {"connection", "x-other"},
                  {"X-MINE", "1"},
                  {"X-Other", "2"},
                  {"Keep-Alive", "timeout=5"},
                  {"te", "trailers"},
                  {"Trailer", "T"},
                  {"Transfer-Encoding", "chunked"},
                  {"Upgrade", "h2c"},
                  {"Proxy-Authorization", "secret"},
                  {"Accept", "*/*"},
                  {"Team", "kept"}};
  axl::http::remove_hop_by_hop(headers);
  CHECK(headers.size() == 2);
  CHECK(headers.contains("Accept"));
  CHECK(headers.contains("Team"));
}

// What a peer may send in one head. Compared with each other these would be hundreds of millions of pairs.
TEST_CASE("forwarding: thousands of lines and tens of thousands of names are looked at once", "[http]") {
  Headers headers;
  std::string list;
  for (int i = 0; i < 100'000; ++i) list.append(i % 7 == 0 ? " ,a, " : "b,");
  headers.add("Connection", list + "X-Last");
  for (int i = 0; i < 4'096; ++i) headers.add_line(i % 2 == 0 ? "X-Kept" : "B", "1");
  headers.add("x-last", "1");
  axl::http::remove_hop_by_hop(headers);
  CHECK(headers.size() == 2'048);
  CHECK(headers.count("X-Kept") == 2'048);
}

TEST_CASE("forwarding: names that differ only in _ and - are removed together", "[http]") {
  Headers headers{{"X-From-Peer-Id", "a"}, {"x_from_peer_id", "b"}, {"X-From_Peer-ID", "c"}, {"X-From-Peer", "d"}};
  axl::http::remove_lookalikes(headers, "X-From-Peer-Id");
  CHECK(headers.size() == 1);
  CHECK(headers.get("X-From-Peer") == "d");
}
