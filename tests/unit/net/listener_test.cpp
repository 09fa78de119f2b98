#include "net/listener.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <asio/ip/v6_only.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "net/tcp_stream.hpp"
#include "net_support.hpp"

using namespace std::chrono_literals;
using namespace axl;
using namespace axl::test;

namespace {

bool has_ipv6() {
  asio::io_context loop;
  net::Acceptor acceptor{loop.get_executor()};
  std::error_code failure;
  acceptor.open(asio::ip::tcp::v6(), failure);
  if (!failure) acceptor.bind({asio::ip::address_v6::loopback(), 0}, failure);
  return !failure;
}

std::error_code connect_to(asio::io_context& loop, const asio::ip::address& address, std::uint16_t port) {
  net::Socket socket{loop.get_executor()};
  std::error_code failure;
  socket.connect({address, port}, failure);
  return failure;
}

}  // namespace

TEST_CASE("listener: port 0 takes a free port, and connections come with their remote address", "[net]") {
  const auto kind = GENERATE(Kind::tcp, Kind::tls);
  asio::io_context loop;
  net::Listener::Options options;
  if (kind == Kind::tls) options.tls = test_listener_context();
  std::vector<net::Accepted> accepted;
  auto listener = net::Listener::open(loop, "127.0.0.1", 0, options,
                                      [&](net::Accepted one) { accepted.push_back(std::move(one)); });
  REQUIRE(listener);
  const auto local = (*listener)->local();
  CHECK(local.port() != 0);
  CHECK(local.address() == asio::ip::address_v4::loopback());
  net::Socket socket{loop.get_executor()};
  socket.connect(local);
  const auto ours = socket.local_endpoint();
  REQUIRE(run_until(loop, [&] { return !accepted.empty(); }));
  CHECK(accepted[0].remote == ours);
  CHECK(accepted[0].remote_text == "127.0.0.1:" + std::to_string(ours.port()));
  CHECK((dynamic_cast<net::TlsStream*>(accepted[0].stream.get()) != nullptr) == (kind == Kind::tls));
}

TEST_CASE("listener: a half-open TLS client is dropped after the handshake limit", "[net]") {
  asio::io_context loop;
  net::Listener::Options options;
  options.tls = test_listener_context();
  options.handshake_limit = 50ms;
  std::unique_ptr<Stream> stream;
  Recorder record;
  auto listener = net::Listener::open(loop, "127.0.0.1", 0, options, [&](net::Accepted one) {
    stream = std::move(one.stream);
    stream->set_handler(&record);
  });
  REQUIRE(listener);
  net::Socket silent{loop.get_executor()};
  silent.connect((*listener)->local());
  REQUIRE(run_until(loop, [&] { return record.closed != 0; }));
  CHECK(record.failure->is(Errc::timed_out));
}

TEST_CASE("listener: [::] serves both families, 0.0.0.0 only IPv4", "[net]") {
  if (!has_ipv6()) SKIP("no IPv6 on this machine");
  const std::string host = GENERATE("[::]", "", "0.0.0.0");
  asio::io_context loop;
  std::vector<net::Accepted> accepted;
  auto listener =
      net::Listener::open(loop, host, 0, {}, [&](net::Accepted one) { accepted.push_back(std::move(one)); });
  REQUIRE(listener);
  const auto port = (*listener)->local().port();
  CHECK_FALSE(connect_to(loop, asio::ip::address_v4::loopback(), port));
  CHECK(!connect_to(loop, asio::ip::address_v6::loopback(), port) == (host != "0.0.0.0"));
  REQUIRE(run_until(loop, [&] { return accepted.size() == (host == "0.0.0.0" ? 1U : 2U); }));
  CHECK(accepted[0].remote_text.starts_with("127.0.0.1:"));
  if (accepted.size() == 2) CHECK(accepted[1].remote_text.starts_with("[::1]:"));
}

TEST_CASE("listener: a taken port, a foreign address and an unknown name are clear errors", "[net]") {
  asio::io_context loop;
  const auto ignore = [](net::Accepted) {};
  auto first = net::Listener::open(loop, "127.0.0.1", 0, {}, ignore);
  REQUIRE(first);
  const auto port = (*first)->local().port();
  const auto second = net::Listener::open(loop, "127.0.0.1", port, {}, ignore);
  REQUIRE_FALSE(second);
  CHECK(second.error().code() == std::errc::address_in_use);
  CHECK(second.error().text() == "listen on 127.0.0.1:" + std::to_string(port) + ": Address already in use");
  const auto foreign = net::Listener::open(loop, "192.0.2.1", 0, {}, ignore);
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().code() == std::errc::address_not_available);
  CHECK_FALSE(net::Listener::open(loop, "no such host", 0, {}, ignore));
  CHECK(net::Listener::open(loop, "localhost", 0, {}, ignore));
}

TEST_CASE("listener: destroyed while accepting, also by its own handler", "[net]") {
  asio::io_context loop;
  std::unique_ptr<net::Listener> listener;
  int count = 0;
  auto opened = net::Listener::open(loop, "127.0.0.1", 0, {}, [&](net::Accepted) {
    ++count;
    listener.reset();
  });
  REQUIRE(opened);
  listener = *std::move(opened);
  const auto port = listener->local().port();
  CHECK_FALSE(connect_to(loop, asio::ip::address_v4::loopback(), port));
  CHECK_FALSE(connect_to(loop, asio::ip::address_v4::loopback(), port));
  REQUIRE(run_until(loop, [&] { return count != 0; }));
  run_for(loop, 10ms);
  CHECK(count == 1);
  CHECK(connect_to(loop, asio::ip::address_v4::loopback(), port));
}

TEST_CASE("listener: out of descriptors it waits, and goes on when there are some again", "[net]") {
  // In a child, whose limit is its own. Exit code 0: all went well.
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    asio::io_context loop;
    int warnings = 0;
    net::Listener::Options options;
    options.log = Logger{[&](LogLevel, std::string_view, std::string_view) { ++warnings; }, LogLevel::warning};
    std::vector<net::Accepted> accepted;
    auto listener = net::Listener::open(loop, "127.0.0.1", 0, options,
                                        [&](net::Accepted one) { accepted.push_back(std::move(one)); });
    if (!listener) ::_exit(1);
    std::vector<net::Socket> clients;
    for (int i = 0; i < 3; ++i) {
      clients.emplace_back(loop.get_executor());
      clients.back().connect((*listener)->local());
    }
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const auto usual = limit.rlim_cur;
    const auto next = ::dup(0);  // the lowest free descriptor
    ::close(next);
    limit.rlim_cur = static_cast<rlim_t>(next) + 1;  // room for one more
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::_exit(2);
    run_for(loop, 250ms);
    if (accepted.size() != 1) ::_exit(3);
    if (warnings != 1) ::_exit(4);
    limit.rlim_cur = usual;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    if (!run_until(
            loop, [&] { return accepted.size() == 3; }, 5s))
      ::_exit(5);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
