#include "config_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

#include "config_services.hpp"
#include "config_values.hpp"

namespace axl::daemon {

namespace {

using Apply = Result<void>(const Value&, FileConfig&);

constexpr std::int64_t kGiB = 1024LL * 1024 * 1024;
constexpr std::int64_t kDay = 86'400;

Result<void> read_port(const Value& value, std::uint16_t& out) { return read_number(value, 1, 65'535, out); }

Result<void> apply_inline_key(const Value& value, FileConfig& config) {
  std::string digits;
  if (auto read = read_text(value, digits); !read) return read;
  if (digits.empty()) return {};
  auto key = PrivateKey::from_hex(digits);
  std::ranges::fill(digits, '\0');
  if (!key)
    return Error{Errc::invalid_argument, "must be a private key of 64 bytes in hexadecimal: " + key.error().text()};
  config.node.identity = std::move(*key);
  return {};
}

Result<void> apply_peers(const Value& value, FileConfig& config) {
  std::vector<std::string> uris;
  if (auto read = read_texts(value, uris); !read) return read;
  std::erase_if(config.node.peers, [](const NodeConfig::Peer& peer) { return peer.source_interface.empty(); });
  for (auto& uri : uris) config.node.peers.push_back({.uri = std::move(uri)});
  return {};
}

Result<void> apply_interface_peers(const Value& value, FileConfig& config) {
  std::erase_if(config.node.peers, [](const NodeConfig::Peer& peer) { return !peer.source_interface.empty(); });
  if (value.as<std::nullptr_t>() != nullptr) return {};
  const auto* interfaces = value.as<Object>();
  if (interfaces == nullptr) {
    return Error{Errc::invalid_argument, fmt::format("must be an object of lists, not {}", value.kind())};
  }
  for (const auto& [name, list] : *interfaces) {
    std::vector<std::string> uris;
    if (auto read = read_texts(list, uris); !read) return read;
    for (auto& uri : uris) config.node.peers.push_back({.uri = std::move(uri), .source_interface = name});
  }
  return {};
}

Result<void> apply_node_info(const Value& value, FileConfig& config) {
  if (value.as<std::nullptr_t>() != nullptr) return {};
  if (value.as<Object>() == nullptr) {
    return Error{Errc::invalid_argument, fmt::format("must be an object, not {}", value.kind())};
  }
  config.node.node_info = to_json(value);
  return {};
}

Result<void> apply_bridge_addr(const Value& value, FileConfig& config) {
  auto address = config.bridge_addr;
  if (auto read = read_text(value, address); !read) return read;
  config.bridge_addr = std::move(address);
  return {};
}

Result<void> apply_bulk_thread(const Value& value, FileConfig& config) {
  std::string text;
  if (auto read = read_text(value, text); !read || text.empty()) return read;
  static constexpr std::array kChoices{std::pair{std::string_view{"auto"}, BulkThread::automatic},
                                       std::pair{std::string_view{"never"}, BulkThread::never},
                                       std::pair{std::string_view{"always"}, BulkThread::always}};
  const auto* const choice = std::ranges::find(kChoices, text, [](const auto& one) { return one.first; });
  if (choice == kChoices.end()) {
    return Error{Errc::invalid_argument, fmt::format("must be \"auto\", \"never\" or \"always\", not \"{}\"", text)};
  }
  config.node.bulk_thread = choice->second;
  return {};
}

// Keys of the reference that do nothing here. The type is not looked at.
template <bool later>
Result<void> ignore(const Value&, FileConfig& config) {
  config.warnings.emplace_back(later ? "is not supported yet and has no effect" : "has no effect");
  return {};
}

constexpr Apply* kNotYet = ignore<true>;
constexpr Apply* kNoEffect = ignore<false>;

// clang-format off
constexpr std::array kKeys{
    ConfigKey{"PrivateKeyPath", "string", "none", "", "PEM file (PKCS#8, Ed25519) with this node's key, relative to the working directory; stands above `PrivateKey`. Neither: a new identity at each start",
              [](const Value& v, FileConfig& c) { return read_text(v, c.private_key_path); }},
    ConfigKey{"PrivateKey", "string", "none", "128 hex digits", "this node's key, inline", apply_inline_key},
    ConfigKey{"Peers", "list of URI", "[]", "", "nodes to link to: `tcp://host:port` or `tls://host:port`, with `?key=`, `?password=`, `?priority=`, `?maxbackoff=`, `?sni=`", apply_peers},
    ConfigKey{"InterfacePeers", "object", "{}", "", "like `Peers`, by the network interface to dial from", apply_interface_peers},
    ConfigKey{"Listen", "list of URI", "[]", "", "where to accept links: `tcp://[::]:port` or `tls://[::]:port`",
              [](const Value& v, FileConfig& c) { return read_texts(v, c.node.listen); }},
    ConfigKey{"AllowedPublicKeys", "list of keys", "[]", "64 hex digits each", "who may link to our listeners; empty: everyone",
              [](const Value& v, FileConfig& c) { return read_keys(v, c.node.allowed_public_keys); }},
    ConfigKey{"allow_peers", "list of keys", "[]", "64 hex digits each", "who may use our overlay ports: messages, services, the agent, publish/subscribe and aggregation; empty: everyone. These and `Peers` keep a reserved half of every budget",
              [](const Value& v, FileConfig& c) { return read_keys(v, c.node.allow_peers); }},
    ConfigKey{"deny", "list of keys", "[]", "64 hex digits each", "who may not, whatever else allows them",
              [](const Value& v, FileConfig& c) { return read_keys(v, c.node.deny); }},
    ConfigKey{"NodeInfo", "object", "{}", "16384 bytes", "told to whoever asks", apply_node_info},
    ConfigKey{"NodeInfoPrivacy", "bool", "false", "", "leave name and version of this build out of it",
              [](const Value& v, FileConfig& c) { return read_flag(v, c.node.node_info_privacy); }},
    ConfigKey{"api_port", "int", "9002", "1 to 65535", "port of the HTTP API",
              [](const Value& v, FileConfig& c) { return read_port(v, c.api_port); }},
    ConfigKey{"bridge_addr", "string", "127.0.0.1", "", "address of the HTTP API: an IP address, or `unix:/path` for a socket that only this user can open. Beyond loopback a token is needed", apply_bridge_addr},
    ConfigKey{"allowed_hosts", "list of strings", "[]", "", "`Host` values besides loopback that the API answers to",
              [](const Value& v, FileConfig& c) { return read_texts(v, c.node.api_allowed_hosts); }},
    ConfigKey{"allowed_origins", "list of strings", "[]", "", "`Origin` values of web pages that may call the API; any other is refused",
              [](const Value& v, FileConfig& c) { return read_texts(v, c.node.api_allowed_origins); }},
    ConfigKey{"legacy_peer_id", "bool", "false", "", "write `X-From-Peer-Id` as the reference does: only the key bits that an address carries",
              [](const Value& v, FileConfig& c) { return read_flag(v, c.node.legacy_peer_id); }},
    ConfigKey{"legacy_patterns", "bool", "false", "", "programs of the older kind take part in publish/subscribe and aggregation: their `gossipsub` and `convergecast_data` messages are taken out of the receive queue",
              [](const Value& v, FileConfig& c) { return read_flag(v, c.legacy_patterns); }},
    ConfigKey{"tcp_port", "int", "7000", "1 to 65535", "overlay port of message frames, ours and our peers'",
              [](const Value& v, FileConfig& c) { return read_port(v, c.node.tcp_port); }},
    ConfigKey{"http_port", "int", "7001", "1 to 65535", "overlay port of HTTP between nodes, ours and our peers'",
              [](const Value& v, FileConfig& c) { return read_port(v, c.node.http_port); }},
    ConfigKey{"max_message_size", "int", "16777216", "1 to 1073741824, and a quarter of `recv_queue_bytes`", "largest message, bytes, both ways",
              [](const Value& v, FileConfig& c) { return read_number(v, 1, kGiB, c.node.max_message_size); }},
    ConfigKey{"max_concurrent_conns", "int", "128", "1 to 65536", "incoming connections on `tcp_port`",
              [](const Value& v, FileConfig& c) { return read_number(v, 1, 65'536, c.node.max_concurrent_conns); }},
    ConfigKey{"conn_read_timeout_secs", "int", "60", "1 to 86400", "a frame's body must arrive within this",
              [](const Value& v, FileConfig& c) { return read_seconds(v, kDay, c.node.conn_read_timeout); }},
    ConfigKey{"conn_idle_timeout_secs", "int", "300", "1 to 86400", "silence between frames before their connection is closed",
              [](const Value& v, FileConfig& c) { return read_seconds(v, kDay, c.node.conn_idle_timeout); }},
    ConfigKey{"dial_timeout_secs", "int", "30", "1 to 86400", "how long to try to reach a peer",
              [](const Value& v, FileConfig& c) { return read_seconds(v, kDay, c.node.dial_timeout); }},
    ConfigKey{"send_timeout_secs", "int", "30", "1 to 86400", "how long `/send` waits for the receipt",
              [](const Value& v, FileConfig& c) { return read_seconds(v, kDay, c.node.send_timeout); }},
    ConfigKey{"recv_queue_messages", "int", "10000", "4 to 10000000", "messages held for `/recv`; one peer gets a quarter",
              [](const Value& v, FileConfig& c) { return read_number(v, 4, 10'000'000, c.node.recv_queue_messages); }},
    ConfigKey{"recv_queue_bytes", "int", "268435456", "4096 to 68719476736", "bytes held for `/recv`; one peer gets a quarter",
              [](const Value& v, FileConfig& c) { return read_number(v, 4'096, 64 * kGiB, c.node.recv_queue_bytes); }},
    ConfigKey{"mtu", "int", "16200", "1280 to 65535", "largest packet inside the overlay, bytes",
              [](const Value& v, FileConfig& c) { return read_number(v, 1'280, 65'535, c.node.mtu); }},
    ConfigKey{"max_links", "int", "1024", "1 to 65536", "links to other nodes",
              [](const Value& v, FileConfig& c) { return read_number(v, 1, 65'536, c.node.max_links); }},
    ConfigKey{"max_handshakes", "int", "64", "1 to 65536", "incoming links whose handshake is under way",
              [](const Value& v, FileConfig& c) { return read_number(v, 1, 65'536, c.node.max_handshakes); }},
    ConfigKey{"max_handshakes_per_address", "int", "8", "1 to 65536", "of those, from one address (loopback is exempt)",
              [](const Value& v, FileConfig& c) { return read_number(v, 1, 65'536, c.node.max_handshakes_per_address); }},
    ConfigKey{"services", "object", "{}", "1024 services", "what peers reach here by name: `{\"weather\": {\"url\": \"http://127.0.0.1:8000/mcp\"}, \"files\": {\"command\": [\"uvx\", \"some-server\"], \"allow\": [\"<key>\"]}}`; see below",
              [](const Value& v, FileConfig& c) { return read_services(v, c.node.services); }},
    ConfigKey{"default_policy", "string", "allow", "allow or deny", "who may use services with a URL, the agent, and the names of `router_addr`, that have no allow list: everyone or nobody",
              [](const Value& v, FileConfig& c) { return read_policy(v, c.node.deny_services); }},
    ConfigKey{"allow_remote_endpoints", "bool", "false", "", "services that register on `router_port` may be on other machines",
              [](const Value& v, FileConfig& c) { return read_flag(v, c.node.allow_remote_endpoints); }},
    ConfigKey{"service_timeout_secs", "int", "300", "1 to 86400", "how long a service may take to begin its answer",
              [](const Value& v, FileConfig& c) { return read_seconds(v, kDay, c.node.service_timeout); }},
    ConfigKey{"serve_router", "bool", "true", "", "serve the MCP router's API for this machine on `router_port`, unless `router_addr` is set",
              [](const Value& v, FileConfig& c) { return read_flag(v, c.serve_router); }},
    ConfigKey{"router_addr", "string", "none", "`http://host`", "a router process that gets the peers' MCP calls for names that this node does not have",
              [](const Value& v, FileConfig& c) { return read_text(v, c.node.router_addr); }},
    ConfigKey{"router_port", "int", "9003", "1 to 65535", "its port, or that of our own router's API",
              [](const Value& v, FileConfig& c) { return read_port(v, c.node.router_port); }},
    ConfigKey{"a2a_addr", "string", "none", "`http://host`", "the A2A agent that peers reach",
              [](const Value& v, FileConfig& c) { return read_text(v, c.node.a2a_addr); }},
    ConfigKey{"a2a_port", "int", "9004", "1 to 65535", "its port",
              [](const Value& v, FileConfig& c) { return read_port(v, c.node.a2a_port); }},
    ConfigKey{"a2a_skills", "bool", "false", "", "the node's own A2A agent, which offers the services as skills; not beside `a2a_addr`",
              [](const Value& v, FileConfig& c) { return read_flag(v, c.node.a2a_skills); }},
    ConfigKey{"a2a_allow", "list of keys", "none", "64 hex digits each, or `[\"*\"]`", "who may use the agent; none: as `default_policy` says",
              [](const Value& v, FileConfig& c) { return read_access(v, c.node.a2a_access); }},
    ConfigKey{"a2a_stream_downgrade", "bool", "false", "", "peers of the older kind carry no streams: call them without one, and send the result as the only event",
              [](const Value& v, FileConfig& c) { return read_flag(v, c.node.a2a_stream_downgrade); }},
    ConfigKey{"api_token", "string", "none", "16 to 512 bytes", "what every request to the HTTP API must carry in `X-Axl-Token`",
              [](const Value& v, FileConfig& c) { return read_text(v, c.node.api_token); }},
    ConfigKey{"api_token_file", "string", "none", "", "file with that token, for this user's eyes only (mode 0600); stands above `api_token`",
              [](const Value& v, FileConfig& c) { return read_text(v, c.api_token_file); }},
    ConfigKey{"outbox_messages", "int", "1000", "1 to 1000000", "messages kept for peers that are away (`X-Axl-Retry-For`)",
              [](const Value& v, FileConfig& c) { return read_number(v, 1, 1'000'000, c.node.outbox_messages); }},
    ConfigKey{"outbox_bytes", "int", "67108864", "4096 to 68719476736", "bytes kept for them",
              [](const Value& v, FileConfig& c) { return read_number(v, 4'096, 64 * kGiB, c.node.outbox_bytes); }},
    ConfigKey{"bulk_thread", "string", "auto", "auto, never or always", "TLS of large flows on a second thread: while the first is busy and a core has time to spare, not at all, or in any case", apply_bulk_thread},
    ConfigKey{"MulticastInterfaces", "list", "", "", "not supported yet: finding neighbours on the local network", kNotYet},
    ConfigKey{"AdminListen", "string", "", "", "no effect: there is no admin socket", kNoEffect},
    ConfigKey{"IfName", "string", "", "", "no effect: there is no network interface", kNoEffect},
    ConfigKey{"IfMTU", "int", "", "", "no effect: there is no network interface; see `mtu`", kNoEffect},
    ConfigKey{"LogLookups", "bool", "", "", "no effect", kNoEffect},
};
// clang-format on

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool same_name(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, lower, lower); }

// Edit distance: insertions, deletions and replacements of one character.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::span<const ConfigKey> config_keys() { return kKeys; }

const ConfigKey* find_key(std::string_view name) {
  const auto found = std::ranges::find_if(kKeys, [name](const ConfigKey& key) { return same_name(key.name, name); });
  return found == kKeys.end() ? nullptr : &*found;
}

std::string_view nearest_key(std::string_view name) {
  name = name.substr(0, 64);
  return std::ranges::min_element(kKeys, {}, [name](const ConfigKey& key) { return distance(key.name, name); })->name;
}

std::string config_table() {
  std::string out = "| key | type | default | limits | meaning |\n| --- | --- | --- | --- | --- |\n";
  for (const auto& key : kKeys) {
    const auto default_text = key.default_text.empty() || key.default_text == "none"
                                  ? std::string{key.default_text}
                                  : fmt::format("`{}`", key.default_text);
    out += fmt::format("| `{}` | {} | {} | {} | {} |\n", key.name, key.type, default_text, key.limits, key.help);
  }
  return out;
}

}  // namespace axl::daemon
