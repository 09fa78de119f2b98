#include "net/socket_setup.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#ifdef __linux__
#include <linux/sockios.h>
#endif

#include <string_view>

namespace axl::net {

namespace {

bool is_loopback(const sockaddr_storage& address) noexcept {
  if (address.ss_family == AF_INET) {
    return (ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr) >> IN_CLASSA_NSHIFT) == IN_LOOPBACKNET;
  }
  if (address.ss_family != AF_INET6) return false;
  const auto& ip = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&ip);
}

// Systems that pace by default (BBR) do so to themselves too, with a timer for every few packets; on loopback there is
// neither a queue nor a bandwidth to find.
void leave_unpaced_on_loopback(Socket& socket) noexcept {
#ifdef TCP_CONGESTION
  sockaddr_storage peer{};  // not Asio's: a Unix socket has an address of another size
  socklen_t size = sizeof peer;
  if (::getpeername(socket.native_handle(), reinterpret_cast<sockaddr*>(&peer), &size) != 0) return;
  if (!is_loopback(peer)) return;
  static constexpr std::string_view kUnpaced = "reno";  // the one that every kernel has and allows
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_CONGESTION, kUnpaced.data(), kUnpaced.size());
#else
  static_cast<void>(socket);
#endif
}

}  // namespace

Result<void> prepare_stream_socket(Socket& socket) {
  std::error_code failure;
  socket.non_blocking(true, failure);
  if (!failure) socket.set_option(asio::ip::tcp::no_delay{true}, failure);
  if (failure == asio::error::operation_not_supported) failure.clear();  // a Unix socket never delays
  if (!failure) socket.set_option(asio::socket_base::keep_alive{false}, failure);
  if (failure) return system_failure(failure, "prepare socket");
  close_on_exec(socket.native_handle());
  leave_unpaced_on_loopback(socket);
  return {};
}

void limit_unsent_in_kernel(Socket& socket, int bytes) noexcept {
#ifdef TCP_NOTSENT_LOWAT
  // Refused by a Unix socket, which holds little anyway.
  ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
#else
  static_cast<void>(socket), static_cast<void>(bytes);
#endif
}

void close_on_exec(int descriptor) noexcept { ::fcntl(descriptor, F_SETFD, FD_CLOEXEC); }

std::size_t unacknowledged_bytes(Socket& socket) noexcept {
#ifdef SIOCOUTQ
  int waiting = 0;
  if (::ioctl(socket.native_handle(), SIOCOUTQ, &waiting) == 0 && waiting > 0) return static_cast<std::size_t>(waiting);
#else
  static_cast<void>(socket);
#endif
  return 0;
}

}  // namespace axl::net
