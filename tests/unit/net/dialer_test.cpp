#include "net/dialer.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "net/endpoint.hpp"
#include "net/listener.hpp"
#include "net_support.hpp"

using namespace std::chrono_literals;
using namespace axl;
using namespace axl::test;

namespace {

struct Outcome {
  std::optional<Result<net::Dialed>> result;
  int calls = 0;
  net::Dialer::Done taker() {
    return [this](Result<net::Dialed> given) {
      ++calls;
      result.emplace(std::move(given));
    };
  }
};

// A port of 127.0.0.1 where nobody listens.
std::uint16_t closed_port() {
  asio::io_context loop;
  const net::Acceptor acceptor{loop.get_executor(), {asio::ip::address_v4::loopback(), 0}};
  return acceptor.local_endpoint().port();
}

}  // namespace

TEST_CASE("dialler: reaches a listener by address and by name, plain and with TLS", "[net]") {
  const auto kind = GENERATE(Kind::tcp, Kind::tls);
  const std::string host = GENERATE("127.0.0.1", "localhost");
  asio::io_context loop;
  net::Listener::Options listening;
  net::Dialer::Options dialling;
  if (kind == Kind::tls) {
    listening.tls = test_listener_context();
    dialling.tls = test_dialler_context();
    dialling.server_name = "localhost";
  }
  Recorder there;
  std::unique_ptr<Stream> accepted;
  // Names may have IPv6 addresses too, tried first: dual-stack where there is IPv6.
  auto listener = net::Listener::open(loop, "", 0, listening, [&](net::Accepted one) {
    accepted = std::move(one.stream);
    accepted->set_handler(&there);
  });
  REQUIRE(listener);
  Outcome outcome;
  net::Dialer dialler{loop, host, (*listener)->local().port(), dialling, outcome.taker()};
  CHECK(outcome.calls == 0);
  REQUIRE(run_until(loop, [&] { return outcome.calls != 0; }));
  REQUIRE(*outcome.result);
  auto& dialled = **outcome.result;
  CHECK(dialled.remote.port() == (*listener)->local().port());
  CHECK(dialled.remote_text == net::to_text(dialled.remote));
  if (kind == Kind::tls) {
    CHECK(dialled.certificate_key == test_key(1).public_key());
  } else {
    CHECK_FALSE(dialled.certificate_key);
  }
  Recorder here;
  dialled.stream->set_handler(&here);
  dialled.stream->write(Buffer{10});
  REQUIRE(run_until(loop, [&] { return there.received == 10; }));
  CHECK(outcome.calls == 1);
}

TEST_CASE("dialler: a refused port and an unknown name are errors", "[net]") {
  asio::io_context loop;
  Outcome outcome;
  SECTION("refused") {
    const auto port = closed_port();
    net::Dialer dialler{loop, "127.0.0.1", port, {}, outcome.taker()};
    REQUIRE(run_until(loop, [&] { return outcome.calls != 0; }));
    REQUIRE_FALSE(*outcome.result);
    CHECK(outcome.result->error().code() == std::errc::connection_refused);
    CHECK(outcome.result->error().text() == "dial 127.0.0.1:" + std::to_string(port) + ": Connection refused");
  }
  SECTION("unknown") {
    net::Dialer dialler{loop, "no-such-host.invalid", 1, {}, outcome.taker()};
    REQUIRE(run_until(loop, [&] { return outcome.calls != 0; }));
    REQUIRE_FALSE(*outcome.result);
    CHECK(outcome.result->error().is(Errc::not_found));
  }
}

TEST_CASE("dialler: an address that refuses is followed by the next one", "[net]") {
  asio::io_context loop;
  // Where localhost is ::1 too, that one comes first and refuses.
  auto listener = net::Listener::open(loop, "127.0.0.1", 0, {}, [](const net::Accepted&) {});
  REQUIRE(listener);
  Outcome outcome;
  net::Dialer dialler{loop, "localhost", (*listener)->local().port(), {}, outcome.taker()};
  REQUIRE(run_until(loop, [&] { return outcome.calls != 0; }));
  REQUIRE(*outcome.result);
  CHECK((*outcome.result)->remote.address() == asio::ip::address_v4::loopback());
}

TEST_CASE("dialler: addresses that no link may use are skipped", "[net]") {
  const std::string host =
      GENERATE("0.0.0.0", "[::]", "224.0.0.1", "ff02::1", "200::1", "[3ff:1::2]", "::ffff:224.0.0.1");
  CAPTURE(host);
  asio::io_context loop;
  Outcome outcome;
  net::Dialer dialler{loop, host, 1, {}, outcome.taker()};
  REQUIRE(run_until(loop, [&] { return outcome.calls != 0; }));
  REQUIRE_FALSE(*outcome.result);
  CHECK(outcome.result->error().text() == "peer has no suitable addresses");
}

TEST_CASE("dialler: overlay addresses may be allowed", "[net]") {
  const auto overlay = asio::ip::make_address("200::1");
  CHECK_FALSE(net::may_dial(overlay, false));
  CHECK(net::may_dial(overlay, true));
  CHECK(net::may_dial(asio::ip::make_address("400::1"), false));
  CHECK(net::may_dial(asio::ip::make_address("100::1"), false));
}

TEST_CASE("dialler: the limit covers connecting and the TLS handshake together", "[net]") {
  asio::io_context loop;
  net::Acceptor silent{loop.get_executor(), {asio::ip::address_v4::loopback(), 0}};
  Outcome outcome;
  net::Dialer::Options options;
  options.tls = test_dialler_context();
  options.limit_per_address = 50ms;
  net::Dialer dialler{loop, "127.0.0.1", silent.local_endpoint().port(), options, outcome.taker()};
  REQUIRE(run_until(loop, [&] { return outcome.calls != 0; }));
  REQUIRE_FALSE(*outcome.result);
  CHECK(outcome.result->error().is(Errc::timed_out));
}

TEST_CASE("dialler: an end that speaks something else than TLS fails the dial", "[net]") {
  asio::io_context loop;
  std::unique_ptr<Stream> accepted;
  auto listener = net::Listener::open(loop, "127.0.0.1", 0, {}, [&](net::Accepted one) {
    accepted = std::move(one.stream);
    accepted->write(Buffer::copy_of(as_bytes("220 welcome\r\n")));
  });
  REQUIRE(listener);
  Outcome outcome;
  net::Dialer::Options options;
  options.tls = test_dialler_context();
  net::Dialer dialler{loop, "127.0.0.1", (*listener)->local().port(), options, outcome.taker()};
  REQUIRE(run_until(loop, [&] { return outcome.calls != 0; }));
  REQUIRE_FALSE(*outcome.result);
  CHECK(outcome.result->error().is(Errc::crypto));
}

TEST_CASE("dialler: destroyed at any stage it calls nobody", "[net]") {
  const std::string host = GENERATE("127.0.0.1", "localhost");
  const auto turns = GENERATE(0, 1, 2, 3, 4);
  asio::io_context loop;
  net::Listener::Options listening;
  listening.tls = test_listener_context();
  std::vector<net::Accepted> accepted;
  auto listener =
      net::Listener::open(loop, "", 0, listening, [&](net::Accepted one) { accepted.push_back(std::move(one)); });
  REQUIRE(listener);
  Outcome outcome;
  net::Dialer::Options options;
  options.tls = test_dialler_context();
  auto dialler = std::make_unique<net::Dialer>(loop, host, (*listener)->local().port(), options, outcome.taker());
  for (int i = 0; i < turns; ++i) loop.run_one_for(20ms);
  if (outcome.calls != 0) return;
  dialler.reset();
  run_for(loop, 30ms);
  CHECK(outcome.calls == 0);
}

TEST_CASE("dialler: may be destroyed by its own call", "[net]") {
  asio::io_context loop;
  std::unique_ptr<net::Dialer> dialler;
  dialler = std::make_unique<net::Dialer>(loop, "127.0.0.1", closed_port(), net::Dialer::Options{},
                                          [&](const Result<net::Dialed>&) { dialler.reset(); });
  CHECK(run_until(loop, [&] { return dialler == nullptr; }));
}

TEST_CASE("dialler: a source interface must exist and have a fitting address", "[net]") {
  asio::io_context loop;
  net::Acceptor acceptor{loop.get_executor(), {asio::ip::address_v4::loopback(), 0}};
  Outcome outcome;
  net::Dialer::Options options;
  SECTION("loopback") {
    options.source_interface = "lo";
    net::Dialer dialler{loop, "127.0.0.1", acceptor.local_endpoint().port(), options, outcome.taker()};
    REQUIRE(run_until(loop, [&] { return outcome.calls != 0; }));
    CHECK(*outcome.result);
  }
  SECTION("missing") {
    options.source_interface = "none0";
    net::Dialer dialler{loop, "127.0.0.1", acceptor.local_endpoint().port(), options, outcome.taker()};
    REQUIRE(run_until(loop, [&] { return outcome.calls != 0; }));
    REQUIRE_FALSE(*outcome.result);
    CHECK(outcome.result->error().is(Errc::not_found));
  }
  SECTION("no link-local address") {
    options.source_interface = "lo";
    net::Dialer dialler{loop, "fe80::1", 1, options, outcome.taker()};
    REQUIRE(run_until(loop, [&] { return outcome.calls != 0; }));
    REQUIRE_FALSE(*outcome.result);
    CHECK(outcome.result->error().is(Errc::unreachable));
  }
}

TEST_CASE("endpoint: text as the network writes it", "[net]") {
  const auto text = [](const char* address) { return net::to_text({asio::ip::make_address(address), 80}); };
  CHECK(text("192.0.2.1") == "192.0.2.1:80");
  CHECK(text("2001:db8::1") == "[2001:db8::1]:80");
  CHECK(text("::ffff:192.0.2.1") == "192.0.2.1:80");
  CHECK(net::address_literal("[2001:db8::1]") == asio::ip::make_address("2001:db8::1"));
  CHECK(net::address_literal("fe80::1%eth0") == asio::ip::make_address("fe80::1"));
  CHECK_FALSE(net::address_literal("localhost"));
  CHECK_FALSE(net::address_literal(""));
}
