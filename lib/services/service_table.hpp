// The services of this node by name: how each is reached, and by whom.
//
// A service is an HTTP server: at a URL, a process of ours spoken to over its standard input and output, or a handler
// in the program. All are reached through an Upstream, so what forwards requests does not know the difference.
//
// Source: bridge, sections 5, 8.3 and 8.4.
#pragma once

#include <axl/key.hpp>
#include <axl/result.hpp>
#include <axl/service.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/upstream.hpp"

namespace axl::services {

/// Where the requests of a service go.
struct Backend {
  std::shared_ptr<http::Upstream> upstream;
  std::string host;   ///< for the Host header
  std::string path;   ///< of the endpoint, begins with `/`; a request's suffix is put behind it
  std::string query;  ///< of the endpoint, without `?`; stands before the request's own
  bool legacy_peer_id = false;  ///< it is told who calls as the reference tells it: only what an address carries
};

struct Service {
  ServiceInfo info;
  ServiceAccess access;
  Backend backend;
  std::shared_ptr<ServiceUse> use = {};  ///< set by the table, and kept when the service is replaced
};

/// May this follow the path of an endpoint without leaving it? `..`, `%2e`, `%2f`, `%00` and backslashes may not.
[[nodiscard]] bool may_follow_endpoint(std::string_view suffix);

/// At most 256 bytes, no control characters, not empty; no empty part, `.` or `..` between slashes.
[[nodiscard]] Result<void> check_name(std::string_view name);

/// "url", "command" or "handler".
[[nodiscard]] std::string_view kind_name(ServiceInfo::Kind kind) noexcept;

[[nodiscard]] bool access_allows(const ServiceAccess& access, const PublicKey& caller);

class ServiceTable {
 public:
  /// At most so many services; more are refused with limit_reached.
  static constexpr std::size_t kMaxServices = 1'024;
  static constexpr std::size_t kMaxNameSize = 256;

  /// Replaces one of that name. invalid_argument for a name that check_name() refuses, and for partial keys.
  Result<void> add(Service service);
  [[nodiscard]] bool remove(std::string_view name);

  struct Match {
    std::shared_ptr<const Service> service;
    std::string suffix;  ///< of the path, as written; empty or beginning with `/`
  };
  /// `path` is what follows `/mcp/`, as written: the longest registered name (percent-decoded) that is a prefix at a
  /// `/`. Empty when there is none, or when the suffix holds `..`, `%2e` or `%2f`.
  [[nodiscard]] std::optional<Match> match(std::string_view path) const;
  [[nodiscard]] std::shared_ptr<const Service> find(std::string_view name) const;
  [[nodiscard]] static bool allows(const Service& service, const PublicKey& caller) {
    return access_allows(service.access, caller);
  }

  [[nodiscard]] bool empty() const noexcept { return services_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return services_.size(); }
  void set_healthy(std::string_view name, bool healthy);
  /// In the order of names.
  [[nodiscard]] std::vector<ServiceInfo> list() const;
  [[nodiscard]] std::vector<ServiceInfo> list_for(const PublicKey& caller) const;

 private:
  std::map<std::string, std::shared_ptr<Service>, std::less<>> services_;
};

}  // namespace axl::services
