#include "net/machine_system.hpp"

#include <openssl/pem.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdio>
#include <filesystem>

#include "net/endpoint.hpp"
#include "net/listener.hpp"
#include "net/unix_listener.hpp"
#include "net_support.hpp"
#include "tls_server.hpp"

using namespace std::chrono_literals;
using namespace axl;
using namespace axl::test;

namespace {

struct Outcome {
  std::optional<Result<std::unique_ptr<Stream>>> result;
  int calls = 0;
  System::DialHandler taker() {
    return [this](Result<std::unique_ptr<Stream>> given) {
      ++calls;
      result.emplace(std::move(given));
    };
  }
  [[nodiscard]] bool failed_with(Errc code) const { return result && !*result && result->error().is(code); }
};

}  // namespace

TEST_CASE("system: reaches a plain server by address and by name", "[net]") {
  const std::string host = GENERATE("127.0.0.1", "localhost");
  asio::io_context loop;
  net::MachineSystem system{loop};
  std::unique_ptr<Stream> accepted;
  Recorder there;
  auto listener = net::Listener::open(loop, "127.0.0.1", 0, {}, [&](net::Accepted one) {
    accepted = std::move(one.stream);
    accepted->set_handler(&there);
  });
  REQUIRE(listener);
  Outcome outcome;
  system.dial({host, (*listener)->local().port(), false}, 10s, outcome.taker());
  CHECK(outcome.calls == 0);
  REQUIRE(run_until(loop, [&] { return outcome.calls != 0; }));
  REQUIRE(*outcome.result);
  (**outcome.result)->write(Buffer::copy_of(pattern(10, 1)));
  CHECK(run_until(loop, [&] { return there.received == 10; }));
  CHECK(outcome.calls == 1);
  CHECK(system.dialling() == 0);
}

TEST_CASE("system: a closed port, an unknown name, a silent server and a missing path are told apart", "[net]") {
  asio::io_context loop;
  net::MachineSystem system{loop};
  Outcome outcome;
  SECTION("closed port") {
    std::uint16_t port = 0;
    {
      const net::Acceptor acceptor{loop.get_executor(), {asio::ip::address_v4::loopback(), 0}};
      port = acceptor.local_endpoint().port();
    }
    system.dial({"localhost", port, false}, 10s, outcome.taker());
    REQUIRE(run_until(loop, [&] { return outcome.calls != 0; }));
    CHECK(outcome.failed_with(Errc::refused));
  }
  SECTION("unknown name") {
    system.dial({"no-such-host.invalid", 80, false}, 60s, outcome.taker());
    REQUIRE(run_until(loop, [&] { return outcome.calls != 0; }));
    CHECK(outcome.failed_with(Errc::not_found));
  }
  SECTION("a server that accepts and says nothing, over TLS") {
    const net::Acceptor silent{loop.get_executor(), {asio::ip::address_v4::loopback(), 0}};
    system.dial({"127.0.0.1", silent.local_endpoint().port(), true}, 50ms, outcome.taker());
    REQUIRE(run_until(loop, [&] { return outcome.calls != 0; }));
    CHECK(outcome.failed_with(Errc::timed_out));
  }
  SECTION("missing path") {
    system.dial({"/nonexistent/socket", 0, false}, 10s, outcome.taker());
    REQUIRE(run_until(loop, [&] { return outcome.calls != 0; }));
    CHECK(outcome.failed_with(Errc::not_found));
  }
}

TEST_CASE("system: reaches a server on a Unix socket", "[net]") {
  const auto path = std::filesystem::temp_directory_path() / ("axl-system-" + std::to_string(::getpid()));
  asio::io_context loop;
  net::MachineSystem system{loop};
  std::unique_ptr<Stream> accepted;
  auto listener = net::UnixListener::open(loop, path.string(), {},
                                          [&](std::unique_ptr<Stream> stream) { accepted = std::move(stream); });
  REQUIRE(listener);
  Outcome outcome;
  system.dial({path.string(), 0, false}, 10s, outcome.taker());
  REQUIRE(run_until(loop, [&] { return outcome.calls != 0 && accepted; }));
  CHECK(*outcome.result);
}

TEST_CASE("system: TLS servers must have a trusted certificate with the name that was dialled", "[net]") {
  const TestAuthority authority;
  const TestAuthority stranger;
  asio::io_context loop;
  net::MachineSystem system{loop, {.authorities = authority.file()}};
  Outcome outcome;
  const auto dial = [&](TestTlsServer& server, const std::string& host) {
    system.dial({host, server.port(), true}, 20s, outcome.taker());
    return run_until(loop, [&] { return outcome.calls != 0; });
  };
  SECTION("the right name") {
    TestTlsServer server{authority, "DNS:localhost"};
    REQUIRE(dial(server, "localhost"));
    REQUIRE(*outcome.result);
    Recorder here;
    (**outcome.result)->set_handler(&here);
    (**outcome.result)->write(Buffer::copy_of(pattern(100, 4)));
    CHECK(run_until(loop, [&] { return here.received == 100; }));  // the server echoes
  }
  SECTION("TLS 1.2 is enough") {
    TestTlsServer server{authority, "DNS:localhost", TLS1_2_VERSION};
    REQUIRE(dial(server, "localhost"));
    CHECK(*outcome.result);
  }
  SECTION("an address in the certificate") {
    TestTlsServer server{authority, "IP:127.0.0.1"};
    REQUIRE(dial(server, "127.0.0.1"));
    CHECK(*outcome.result);
  }
  SECTION("another name") {
    TestTlsServer server{authority, "DNS:example.org"};
    REQUIRE(dial(server, "localhost"));
    CHECK(outcome.failed_with(Errc::crypto));
    CHECK(outcome.result->error().text().find("mismatch") != std::string::npos);
  }
  SECTION("an unknown authority") {
    TestTlsServer server{stranger, "DNS:localhost"};
    REQUIRE(dial(server, "localhost"));
    CHECK(outcome.failed_with(Errc::crypto));
  }
  SECTION("the system's authorities do not know ours") {
    TestTlsServer server{authority, "DNS:localhost"};
    net::MachineSystem usual{loop};
    usual.dial({"localhost", server.port(), true}, 20s, outcome.taker());
    REQUIRE(run_until(loop, [&] { return outcome.calls != 0; }));
    CHECK(outcome.failed_with(Errc::crypto));
  }
}

TEST_CASE("system: destroyed while dialling, it calls nobody", "[net]") {
  asio::io_context loop;
  Outcome outcome;
  {
    net::MachineSystem system{loop};
    system.dial({"localhost", 1, false}, 10s, outcome.taker());
    system.dial({"/nonexistent/socket", 0, false}, 10s, outcome.taker());
    CHECK(system.dialling() == 2);
  }
  loop.run();
  CHECK(outcome.calls == 0);
}

TEST_CASE("system: a handler may destroy the system that calls it", "[net]") {
  asio::io_context loop;
  auto system = std::make_unique<net::MachineSystem>(loop);
  auto calls = 0;
  system->dial({"/nonexistent/socket", 0, false}, 10s, [&](const auto&) {
    ++calls;
    system.reset();
  });
  loop.run();
  CHECK(calls == 1);
}
