#include "http/url.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace axl;
using http::Url;

TEST_CASE("url: the parts of an address", "[http]") {
  const auto url = Url::parse("http://Example.org:8000/mcp/x?a=b&c=?").value();
  CHECK(url.place == Place{"Example.org", 8000, false});
  CHECK(url.authority == "Example.org:8000");
  CHECK(url.path == "/mcp/x");
  CHECK(url.query == "a=b&c=?");
  const auto secure = Url::parse("HTTPS://h").value();
  CHECK(secure.place == Place{"h", 443, true});
  CHECK(secure.path == "/");
  CHECK(secure.query.empty());
  const auto bare = Url::parse("http://h:?q").value();
  CHECK(bare.place.port == 80);
  CHECK(bare.authority == "h");
  CHECK(bare.path == "/");
  CHECK(bare.query == "q");
  const auto six = Url::parse("http://[::1]:9/x").value();
  CHECK(six.place == Place{"::1", 9, false});
  CHECK(six.authority == "[::1]:9");
  const auto local = Url::parse("http+unix://%2Frun%2Fa%20b.sock/mcp").value();
  CHECK(local.place == Place{"/run/a b.sock", 0, false});
  CHECK(local.authority == "localhost");
  CHECK(local.path == "/mcp");
}

TEST_CASE("url: what is no address of a server is refused", "[http]") {
  for (const std::string_view text : {"",
                                      "h",
                                      "//h/",
                                      "ftp://h/",
                                      "http:/h",
                                      "http://",
                                      "http:///x",
                                      "http://user@h/",
                                      "http://u:p@h/",
                                      "http://h/#f",
                                      "http://h:0/",
                                      "http://h:65536/",
                                      "http://h:-1/",
                                      "http://h:8x/",
                                      "http://h:1:2/",
                                      "http://h /",
                                      "http://h/a b",
                                      "http://h/\n",
                                      "http://h%41/",
                                      "http://[::1/",
                                      "http://[zz]/",
                                      "http://[::1]x/",
                                      "http://[::1%25eth0]/",
                                      "http+unix://run/x",
                                      "http+unix:///x",
                                      "http+unix://%2Fa%00b/",
                                      "http+unix://%2/",
                                      "http://h\xc3\xa9/"}) {
    INFO(text);
    CHECK_FALSE(Url::parse(text).ok());
  }
  CHECK_FALSE(Url::parse("http+unix://%2F" + std::string(107, 'x')).ok());
  CHECK(Url::parse("http+unix://%2F" + std::string(106, 'x')).ok());
  CHECK_FALSE(Url::parse("http://h/" + std::string(9000, 'x')).ok());
}

TEST_CASE("url: loopback is what cannot leave this machine, by its text alone", "[http]") {
  for (const auto* text :
       {"http://127.0.0.1/", "http://127.9.9.9:1/", "http://localhost/", "https://LOCALHOST/", "http://[::1]/",
        "http://[0:0:0:0:0:0:0:1]/", "http://[::ffff:127.0.0.1]/", "http+unix://%2Fx"}) {
    INFO(text);
    CHECK(Url::parse(text).value().is_loopback());
  }
  for (const auto* text : {"http://128.0.0.1/", "http://0.0.0.0/", "http://127.0.0.1.example.org/", "http://127.1/",
                           "http://[::]/", "http://[::2]/", "http://[::ffff:10.0.0.1]/", "http://localhost.example/"}) {
    INFO(text);
    CHECK_FALSE(Url::parse(text).value().is_loopback());
  }
}
