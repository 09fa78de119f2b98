#include "node_options.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "status.hpp"

namespace axl::c {

namespace {

/// Copies what is given into a configuration, and remembers the first list that makes no sense.
class Reader {
 public:
  template <class T, class U>
  void number(U given, T& out) {
    if (given != 0) out = static_cast<T>(given);
  }
  void time(std::uint32_t milliseconds, Duration& out) {
    if (milliseconds != 0) out = std::chrono::milliseconds{milliseconds};
  }
  void text(const char* given, std::string& out) {
    if (given != nullptr) out = given;
  }
  void texts(const char* name, const char* const* given, std::size_t count, std::vector<std::string>& out) {
    for (std::size_t i = 0; sound(name, given, count) && i < count; ++i) {
      if (given[i] == nullptr) {
        refuse(name, " holds NULL");
        return;
      }
      out.emplace_back(given[i]);
    }
  }
  void keys(const char* name, const axl_key* given, std::size_t count, std::vector<PublicKey>& out) {
    for (std::size_t i = 0; sound(name, given, count) && i < count; ++i) out.push_back(to_key(given[i]));
  }
  [[nodiscard]] const std::optional<Error>& error() const noexcept { return error_; }

 private:
  bool sound(const char* name, const void* list, std::size_t count) {
    if (list == nullptr && count > 0) refuse(name, " is NULL and its count is not 0");
    return list != nullptr;
  }
  void refuse(const char* name, const char* why) {
    if (!error_) error_ = Error{Errc::invalid_argument, std::string{name} + why};
  }

  std::optional<Error> error_;
};

LogLevel to_level(int level) noexcept {
  return level == AXL_LOG_DEFAULT ? LogLevel::info : static_cast<LogLevel>(level - 1);
}

void read_limits(Reader& read, const axl_node_options& options, NodeConfig& config) {
  read.number(options.mtu, config.mtu);
  read.number(options.max_links, config.max_links);
  read.number(options.max_handshakes, config.max_handshakes);
  read.number(options.max_handshakes_per_address, config.max_handshakes_per_address);
  read.number(options.max_message_size, config.max_message_size);
  read.number(options.max_concurrent_conns, config.max_concurrent_conns);
  read.time(options.conn_read_timeout_ms, config.conn_read_timeout);
  read.time(options.conn_idle_timeout_ms, config.conn_idle_timeout);
  read.time(options.dial_timeout_ms, config.dial_timeout);
  read.time(options.send_timeout_ms, config.send_timeout);
  read.number(options.recv_queue_messages, config.recv_queue_messages);
  read.number(options.recv_queue_bytes, config.recv_queue_bytes);
  read.number(options.outbox_messages, config.outbox_messages);
  read.number(options.outbox_bytes, config.outbox_bytes);
}

void read_services(Reader& read, const axl_node_options& options, NodeConfig& config) {
  read.texts("api_allowed_hosts", options.api_allowed_hosts, options.api_allowed_host_count, config.api_allowed_hosts);
  read.texts("api_allowed_origins", options.api_allowed_origins, options.api_allowed_origin_count,
             config.api_allowed_origins);
  read.text(options.api_token, config.api_token);
  config.legacy_peer_id = options.legacy_peer_id != 0;
  config.deny_services = options.deny_services != 0;
  config.allow_remote_endpoints = options.allow_remote_endpoints != 0;
  read.time(options.service_timeout_ms, config.service_timeout);
  read.text(options.router_addr, config.router_addr);
  read.number(options.router_port, config.router_port);
  read.text(options.a2a_addr, config.a2a_addr);
  read.number(options.a2a_port, config.a2a_port);
  config.a2a_skills = options.a2a_skills != 0;
  config.a2a_stream_downgrade = options.a2a_stream_downgrade != 0;
}

}  // namespace

Result<NodeConfig> to_config(const axl_node_options& options) {
  NodeConfig config;
  Reader read;
  if (options.seed != nullptr) {
    config.identity = to_private_key(options.seed);
  }
  std::vector<std::string> peers;
  read.texts("peers", options.peers, options.peer_count, peers);
  for (auto& uri : peers) config.peers.push_back({.uri = std::move(uri)});
  read.texts("listen", options.listen, options.listen_count, config.listen);
  read.keys("allowed_public_keys", options.allowed_public_keys, options.allowed_public_key_count,
            config.allowed_public_keys);
  read.keys("allow_peers", options.allow_peers, options.allow_peer_count, config.allow_peers);
  read.keys("deny", options.deny, options.deny_count, config.deny);
  read.text(options.node_info, config.node_info);
  config.node_info_privacy = options.node_info_privacy != 0;
  read.number(options.tcp_port, config.tcp_port);
  read.number(options.http_port, config.http_port);
  config.accept_messages = options.refuse_messages == 0;
  read_limits(read, options, config);
  read_services(read, options, config);
  config.run = options.no_thread != 0 ? RunMode::poll : RunMode::own_thread;
  const auto log_level = number_of(options.log_level);
  if (log_level < AXL_LOG_DEFAULT || log_level > AXL_LOG_OFF) {
    return Error{Errc::invalid_argument, "log_level is none of axl_log_level"};
  }
  config.log_level = to_level(log_level);
  const auto bulk_thread = number_of(options.bulk_thread);
  if (bulk_thread < AXL_BULK_THREAD_AUTOMATIC || bulk_thread > AXL_BULK_THREAD_ALWAYS) {
    return Error{Errc::invalid_argument, "bulk_thread is none of axl_bulk_thread"};
  }
  config.bulk_thread = static_cast<BulkThread>(bulk_thread);
  if (read.error()) return *read.error();
  return config;
}

}  // namespace axl::c
