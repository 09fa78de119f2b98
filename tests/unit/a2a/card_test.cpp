#include "a2a/card.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>

using axl::a2a::CardPlace;
using axl::a2a::rewrite_card;
using axl::a2a::rewrite_card_url;

namespace {

const CardPlace place{.base = "http://127.0.0.1:9002/a2a/K", .peer_ids = {"abcd"}, .overlay_host = "201:fac3::b95f"};

std::string url(std::string_view text) { return rewrite_card_url(text, place).value_or("(stays)"); }

std::string card(std::string_view text) {
  const auto out = rewrite_card(text, place);
  return out ? out->text : "(stays)";
}

}  // namespace

TEST_CASE("card: a URL that is relative or means the far machine leads through the node", "[a2a]") {
  CHECK(url("") == "http://127.0.0.1:9002/a2a/K");
  CHECK(url("/") == "http://127.0.0.1:9002/a2a/K");
  CHECK(url("/foo?x=1#y") == "http://127.0.0.1:9002/a2a/K/foo?x=1#y");
  CHECK(url("foo") == "http://127.0.0.1:9002/a2a/K/foo");
  CHECK(url("?x") == "http://127.0.0.1:9002/a2a/K?x");
  CHECK(url("http://127.0.0.1:9999/foo") == "http://127.0.0.1:9002/a2a/K/foo");
  CHECK(url("HTTP://LocalHost./foo/") == "http://127.0.0.1:9002/a2a/K/foo/");
  CHECK(url("https://user:pw@[::1]:44/v1") == "http://127.0.0.1:9002/a2a/K/v1");
  CHECK(url("http://0.0.0.0:9999") == "http://127.0.0.1:9002/a2a/K");
  CHECK(url("http://[::]:9999/") == "http://127.0.0.1:9002/a2a/K");
  CHECK(url("//localhost/x") == "http://127.0.0.1:9002/a2a/K/x");
}

TEST_CASE("card: the way to the agent is taken out of a URL that already names it", "[a2a]") {
  CHECK(url("/a2a/ABCD") == "http://127.0.0.1:9002/a2a/K");
  CHECK(url("http://127.0.0.1:9002/a2a/abcd/v1") == "http://127.0.0.1:9002/a2a/K/v1");
  CHECK(url("/a2a/abcde") == "http://127.0.0.1:9002/a2a/K/a2a/abcde");
  CHECK(url("http://[201:fac3::b95f]:7001/a2a") == "http://127.0.0.1:9002/a2a/K");
  CHECK(url("http://[201:FAC3::b95f]:7001/a2a/v1") == "http://127.0.0.1:9002/a2a/K/v1");
  CHECK(url("http://[201:fac3::b95f]:8080/agent") == "http://127.0.0.1:9002/a2a/K/agent");
}

TEST_CASE("card: no path leads out of the agent's place", "[a2a]") {
  for (const auto* path : {"/../send", "/x/../../../recv", "/%2e%2E/send", "/x%2f..", "..", "/\\\\evil", "/a%5Cb"}) {
    CHECK(url(path) == "http://127.0.0.1:9002/a2a/K");
  }
}

TEST_CASE("card: a URL that means the same everywhere stays", "[a2a]") {
  for (const auto* stays : {"https://agent.example/a2a", "http://10.0.0.7:9999/", "http://127.0.0.1.evil.example/",
                            "http://localhost@evil.example/", "http://[201:fac3::1]/", "localhost:50051",
                            "ws://localhost/", "mailto:a@localhost", "//evil.example/", "https://a_b.example.:8443/x",
                            "http://[2001:db8::7f00:1]/", "http://u:p%40@1.2.3.4:80/", "http://127.example/"}) {
    CHECK(url(stays) == "(stays)");
  }
}

TEST_CASE("card: a URL that only some readers take for the local machine leads to the agent", "[a2a]") {
  for (const auto* unclear :
       {"http:/localhost/", "http:recv", "http:\\\\127.0.0.1:9002\\recv", "http:///127.0.0.1:9002/recv",
        "///127.0.0.1/recv", "http://127.1:9002/recv", "http://2130706433:9002/recv", "http://0x7f.1/",
        "http://0177.0.0.1/", "http://127.0.0.1.:1x/", "http://127.0.0.%31/", "http://loc%61lhost/",
        "http://\xe2\x93\x9bocalhost/", "http://127.0.0.1\xe3\x80\x82/", "http:\t//127.0.0.1/", "ht\ntp://localhost/",
        " http://localhost/", "http://local host/", "http://localhost\x7f/", "http://localhost..:9002/",
        "http://a\\@evil.example/", "http://[::1/", "http://[::1%25lo]/", "http://[::1]x/", "http://[1:2:3]/",
        "http://[::ffff:127.1]/", "http://", "https:?x", "http://0x/"}) {
    CAPTURE(unclear);
    CHECK(url(unclear) == "http://127.0.0.1:9002/a2a/K");
  }
  for (const auto* local :
       {"http://[::ffff:127.0.0.1]:9002/recv", "http://[::FFFF:7f00:1]/recv", "http://[::127.0.0.1]/recv",
        "http://[0:0:0:0:0:0:0:1]:9002/recv", "http://[0::]/recv", "http://127.255.0.9./recv", "http://0.0.0.0/recv",
        "http://x.LocalHost/recv", "http://[201:fac3:0:0:0:0:0:b95f]/recv"}) {
    CAPTURE(local);
    CHECK(url(local) == "http://127.0.0.1:9002/a2a/K/recv");
  }
}

TEST_CASE("card: names that some readers take for the standard ones are those", "[a2a]") {
  CHECK(card(R"({"supported_interfaces":[{"URL":"http://127.0.0.1:9002/send"}],"Url":"/x"})") ==
        R"({"supported_interfaces":[{"URL":"http://127.0.0.1:9002/a2a/K/send"}],"Url":"http://127.0.0.1:9002/a2a/K/x"})");
  CHECK(card(R"({"ADDITIONALINTERFACES":[{"\u0075rl":"/x"}],"additional_interfaces":[{"url":"/y"}]})") ==
        R"({"ADDITIONALINTERFACES":[{"\u0075rl":"http://127.0.0.1:9002/a2a/K/x"}],"additional_interfaces":[{"url":"http://127.0.0.1:9002/a2a/K/y"}]})");
}

TEST_CASE("card: only the text of URLs is replaced, every other byte stays", "[a2a]") {
  CHECK(card(R"( {"name" : "A\u0042", "n":1.0,"n":2,
  "supportedInterfaces":[ {"protocolBinding":"JSONRPC","url" : "\/x"}, {"protocolBinding":"GRPC","url":"http://localhost:1"},
  {"url":"https://elsewhere.example/"} ],"icon":{"url":"/icon"}} )") ==
        R"( {"name" : "A\u0042", "n":1.0,"n":2,
  "supportedInterfaces":[ {"protocolBinding":"JSONRPC","url" : "http://127.0.0.1:9002/a2a/K/x"}, {"protocolBinding":"GRPC","url":"http://localhost:1"},
  {"url":"https://elsewhere.example/"} ],"icon":{"url":"/icon"}} )");
  CHECK(
      card(
          R"({"additionalInterfaces":[{"url":"/r","transport":"HTTP+JSON"},{"url":"/g","transport":"GRPC"}],"url":"/"})") ==
      R"({"additionalInterfaces":[{"url":"http://127.0.0.1:9002/a2a/K/r","transport":"HTTP+JSON"},{"url":"/g","transport":"GRPC"}],"url":"http://127.0.0.1:9002/a2a/K"})");
  CHECK(card(R"({"url":"/g","preferredTransport":"GRPC"})") == "(stays)");
}

TEST_CASE("card: what is no card stays", "[a2a]") {
  for (const auto* text : {"", "{", "[]", "null", R"({"url":5})", R"({"url":"/"}x)", R"({"url":"/)", "{}",
                           R"({"supportedInterfaces":{"url":"/"}})", R"({"supportedInterfaces":["url","/"]})"}) {
    CHECK(card(text) == "(stays)");
  }
}

TEST_CASE("card: a signature that no longer fits is reported", "[a2a]") {
  CHECK(rewrite_card(R"({"url":"/","signatures":[{"protected":"x"}]})", place)->is_signed);
  CHECK_FALSE(rewrite_card(R"({"url":"/","signatures":[]})", place)->is_signed);
  CHECK_FALSE(rewrite_card(R"({"url":"/"})", place)->is_signed);
}
