#include <axl/config.hpp>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "http/url.hpp"
#include "crypto/partial_key.hpp"
#include "services/service_table.hpp"
#include "services/url_backends.hpp"

namespace axl {

namespace {

Error bad(std::string what) { return Error{Errc::invalid_argument, std::move(what)}; }

// The part of a message that names a service.
std::string of_service(const NodeConfig::Service& service) { return "services: \"" + service.name + "\" "; }

// A key that equals the inversion of its own address may be anybody with that address.
Result<void> check_full(const std::vector<PublicKey>& keys, const std::string& where) {
  for (const auto& key : keys) {
    if (key == PublicKey{} || is_partial(key)) {
      return bad(where + "must hold full keys, not partial ones: " + key.to_hex());
    }
  }
  return {};
}

Result<void> check_access(const std::optional<ServiceAccess>& access, const std::string& where) {
  return access ? check_full(access->allow, where) : Result<void>{};
}

Result<void> check_service(const NodeConfig::Service& service) {
  if (const auto name = services::check_name(service.name); !name) return bad("services: " + name.error().text());
  const auto where = of_service(service);
  const bool command = !service.command.command.empty();
  if (command == !service.url.empty()) return bad(where + "needs either a url or a command");
  if (command) {
    if (service.command.command.front().empty()) return bad(where + "has a command without a program");
    if (service.command.max_processes == 0) return bad(where + "max_processes must be at least 1");
    if (!service.access)
      return bad(where + "starts a command, so it must name who may use it: allow, [\"*\"] for everyone");
    if (service.probe) return bad(where + "health is for services with a url");
  } else if (const auto url = http::Url::parse(service.url); !url) {
    return bad(where + "url: " + url.error().text());
  }
  if (service.probe && !service.probe->path.starts_with('/')) return bad(where + "health: path must begin with /");
  return check_access(service.access, where + "allow ");
}

}  // namespace

Result<void> NodeConfig::validate() const {
  const auto positive = [](Duration duration) { return duration > Duration::zero(); };
  if (tcp_port == 0) return bad("tcp_port must not be 0");
  if (http_port == 0) return bad("http_port must not be 0");
  if (tcp_port == http_port) return bad("tcp_port and http_port must differ");
  if (mtu < 1'280 || mtu > 65'535) return bad("mtu must be from 1280 to 65535");
  if (max_links == 0) return bad("max_links must be at least 1");
  if (max_handshakes == 0) return bad("max_handshakes must be at least 1");
  if (max_handshakes_per_address == 0) return bad("max_handshakes_per_address must be at least 1");
  if (max_concurrent_conns == 0) return bad("max_concurrent_conns must be at least 1");
  if (max_message_size == 0) return bad("max_message_size must be at least 1");
  if (max_message_size > std::numeric_limits<std::uint32_t>::max()) {
    return bad("max_message_size must fit in 32 bits");
  }
  if (recv_queue_messages == 0) return bad("recv_queue_messages must be at least 1");
  if (max_message_size > recv_queue_bytes / 4) {
    return bad("max_message_size (" + std::to_string(max_message_size) + ") exceeds a quarter of recv_queue_bytes (" +
               std::to_string(recv_queue_bytes) + "), the most that one peer may hold");
  }
  if (!positive(conn_read_timeout)) return bad("conn_read_timeout_secs must be positive");
  if (!positive(conn_idle_timeout)) return bad("conn_idle_timeout_secs must be positive");
  if (!positive(dial_timeout)) return bad("dial_timeout_secs must be positive");
  if (!positive(send_timeout)) return bad("send_timeout_secs must be positive");
  if (node_info.size() > 16'384) return bad("NodeInfo must be at most 16384 bytes of JSON");
  if (!api_token.empty()) {
    if (api_token.size() < 16 || api_token.size() > 512) return bad("api_token must have from 16 to 512 bytes");
    for (const char c : api_token) {
      if (c <= 0x20 || c >= 0x7F) return bad("api_token must be printable ASCII without spaces");
    }
  }
  for (const auto& peer : peers) {
    if (peer.uri.empty()) return bad("Peers must not hold an empty URI");
  }
  if (auto full = check_full(allow_peers, "allow_peers "); !full) return full;
  if (auto full = check_full(deny, "deny "); !full) return full;
  if (!positive(service_timeout)) return bad("service_timeout_secs must be positive");
  if (services.size() > services::ServiceTable::kMaxServices) return bad("services must hold at most 1024 services");
  for (const auto& service : services) {
    if (auto valid = check_service(service); !valid) return valid;
  }
  if (router_port == 0) return bad("router_port must not be 0");
  if (a2a_port == 0) return bad("a2a_port must not be 0");
  if (!router_addr.empty()) {
    if (const auto url = services::join_address(router_addr, router_port); !url) {
      return bad("router_addr " + url.error().text());
    }
  }
  if (!a2a_addr.empty()) {
    if (const auto url = services::join_address(a2a_addr, a2a_port); !url) return bad("a2a_addr " + url.error().text());
    if (a2a_skills) return bad("a2a_addr and a2a_skills exclude each other: a node has one agent");
  }
  return check_access(a2a_access, "a2a_allow ");
}

}  // namespace axl
