#include "net/source_interface.hpp"

#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cstring>
#include <memory>

namespace axl::net {

namespace {

struct FreeInterfaces {
  void operator()(ifaddrs* list) const noexcept { ::freeifaddrs(list); }
};

bool same_kind(const asio::ip::address& ours, const asio::ip::address& destination) {
  if (ours.is_v4() != destination.is_v4()) return false;
  return ours.is_v4() || ours.to_v6().is_link_local() == destination.to_v6().is_link_local();
}

}  // namespace

Result<void> bind_to_interface(Socket& socket, const std::string& interface, asio::ip::address& destination) {
  const auto zone = ::if_nametoindex(interface.c_str());
  if (zone == 0) return Error{Errc::not_found, "source interface " + interface + " does not exist"};
  if (destination.is_v6() && destination.to_v6().is_link_local()) {
    auto with_zone = destination.to_v6();
    with_zone.scope_id(zone);
    destination = with_zone;
  }
#ifdef SO_BINDTODEVICE
  // Needs a privilege on older kernels; the bind below does most of the work without it.
  static_cast<void>(::setsockopt(socket.native_handle(), SOL_SOCKET, SO_BINDTODEVICE, interface.data(),
                                 static_cast<socklen_t>(interface.size())));
#endif
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return Error{Errc::io, "cannot list network interfaces"};
  const std::unique_ptr<ifaddrs, FreeInterfaces> owner{list};
  for (const auto* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || interface != entry->ifa_name) continue;
    if ((entry->ifa_flags & IFF_UP) == 0) return Error{Errc::unreachable, "source interface " + interface + " is down"};
    const auto family = entry->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    asio::ip::tcp::endpoint ours;
    std::memcpy(ours.data(), entry->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    if (!same_kind(ours.address(), destination)) continue;
    ours.port(0);
    std::error_code failure;
    socket.bind(ours, failure);
    if (failure) return system_failure(failure, "bind to source interface " + interface);
    return {};
  }
  return Error{Errc::unreachable,
               "source interface " + interface + " has no address to reach " + destination.to_string() + " from"};
}

}  // namespace axl::net
