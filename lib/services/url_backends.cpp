#include "services/url_backends.hpp"

#include <utility>

namespace axl::services {

namespace {
constexpr std::size_t kIdle = 256;
// As many as all peers together may have open here, of which one gets a quarter: none can use up a service's.
constexpr std::size_t kConnections = 4'096;
// Shorter than what common servers grant (5 s), so that a request seldom meets a connection just being closed; to dial
// this machine again costs next to nothing.
constexpr Duration kIdleTimeout = std::chrono::seconds{3};
}  // namespace

Result<std::string> join_address(std::string_view address, std::uint16_t port) {
  while (address.ends_with('/')) address.remove_suffix(1);
  auto text = std::string{address} + ":" + std::to_string(port);
  const auto url = http::Url::parse(text);
  if (!url || url->path != "/" || !url->query.empty() || url->place.port != port) {
    return Error{Errc::invalid_argument, "must be http:// or https:// and a host, without port and path"};
  }
  return text;
}

UrlBackends::UrlBackends(System& system, Scheduler& scheduler, Duration dial_timeout)
    : system_{system}, scheduler_{scheduler}, idle_{std::make_shared<http::IdleConnections>(kIdle)} {
  limits_.connections = kConnections;
  limits_.idle_timeout = kIdleTimeout;
  limits_.dial_timeout = dial_timeout;
}

Backend UrlBackends::make(const http::Url& url) {
  auto dial = [&system = system_, place = url.place](Duration timeout, http::StreamDialHandler handler) {
    system.dial(place, timeout, std::move(handler));
  };
  Backend backend;
  backend.upstream = std::make_shared<http::ClientPool>(std::move(dial), limits_, scheduler_, idle_);
  backend.host = url.authority;
  backend.path = url.path;
  backend.query = url.query;
  return backend;
}

}  // namespace axl::services
