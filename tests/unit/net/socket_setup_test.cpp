#include "net/socket_setup.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "net/asio_types.hpp"

using namespace axl::net;

#ifdef TCP_CONGESTION
TEST_CASE("socket setup: a connection on loopback is not paced, whatever the system's default", "[net]") {
  asio::io_context context;
  for (const auto* loopback : {"127.0.0.1", "::1"}) {
    CAPTURE(loopback);
    Acceptor acceptor{context, {asio::ip::make_address(loopback), 0}};
    Socket socket{context};
    socket.connect(acceptor.local_endpoint());
    REQUIRE(prepare_stream_socket(socket));
    std::array<char, 32> name{};
    socklen_t size = name.size();
    REQUIRE(::getsockopt(socket.native_handle(), IPPROTO_TCP, TCP_CONGESTION, name.data(), &size) == 0);
    CHECK(std::string{name.data()} == "reno");
  }
}
#endif
