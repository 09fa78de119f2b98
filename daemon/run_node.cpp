#include <fmt/format.h>

#include <axl/node.hpp>
#include <chrono>
#include <utility>

#include "config_file.hpp"
#include "console_log.hpp"
#include "heap.hpp"
#include "run.hpp"
#include "secrets.hpp"
#include "serve.hpp"
#include "signals.hpp"

namespace axl::daemon {

namespace {

// 90 s is 1m30s, as the reference's log has it.
std::string in_words(Duration duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m{}s", seconds / 60, seconds % 60);
  return fmt::format("{}h{}m{}s", seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string_view without_slashes(std::string_view url) {
  while (url.ends_with('/')) url.remove_suffix(1);
  return url;
}

// The config with its key; warnings are printed, and with --strict are errors.
Result<FileConfig> load(const Options& options) {
  auto config = load_config(options.config_path);
  if (!config) return config;
  for (const auto& warning : config->warnings) complain(fmt::format("{}: {}", options.config_path, warning));
  if (options.strict && !config->warnings.empty()) return Error{Errc::invalid_argument, config->warnings.front()};
  if (!options.private_key_path.empty()) {
    if (!config->private_key_path.empty() || config->node.identity) {
      say(fmt::format("[node] The key is that of {}, not that of {}", options.private_key_path, options.config_path));
    }
    config->private_key_path = options.private_key_path;
  }
  if (!config->private_key_path.empty()) {
    auto key = load_key(config->private_key_path, options.insecure_key_file);
    if (!key) return key.error();
    config->node.identity = *std::move(key);
  }
  if (!config->api_token_file.empty()) {
    auto token = load_token(config->api_token_file, options.insecure_key_file);
    if (!token) return token.error();
    config->node.api_token = *std::move(token);
  }
  auto& node = config->node;
  node.listen.insert(node.listen.begin(), options.listen.begin(), options.listen.end());
  if (options.api_port) config->api_port = *options.api_port;
  if (auto valid = node.validate(); !valid) return valid.error();
  return config;
}

void say_configuration(const Options& options, const FileConfig& config) {
  const auto& node = config.node;
  say(fmt::format("[node] Loaded node config from {}", options.config_path));
  say(fmt::format("[node] Max message size: {} bytes", node.max_message_size));
  say(fmt::format("[node] Max concurrent connections: {}", node.max_concurrent_conns));
  say(fmt::format("[node] Connection read timeout: {}", in_words(node.conn_read_timeout)));
  say(fmt::format("[node] Connection idle timeout: {}", in_words(node.conn_idle_timeout)));
  for (const auto& uri : options.listen) say(fmt::format("[node] Also listening on {}", uri.substr(0, uri.find('?'))));
  for (const auto& peer : node.peers) {
    say(fmt::format("[node] Configured peer: {}", peer.uri.substr(0, peer.uri.find('?'))));
  }
  if (!node.router_addr.empty()) {
    say(fmt::format("[node] MCP Router URL: {}:{}/route", without_slashes(node.router_addr), node.router_port));
  }
  if (!node.a2a_addr.empty()) {
    say(fmt::format("[node] A2A Server URL: {}:{}", without_slashes(node.a2a_addr), node.a2a_port));
  }
  if (!node.identity) say("[node] No private key configured: this identity is ephemeral, new at each start");
}

}  // namespace

int check_config(const Options& options) {
  const auto config = load(options);
  if (!config) return exit_with(config.error());
  say(fmt::format("{}: in order", options.config_path));
  return 0;
}

int run_node(const Options& options) {
  auto loaded = load(options);
  if (!loaded) return exit_with(loaded.error());
  auto& config = *loaded;
  say_configuration(options, config);
  config.node.log = make_console_log(options.compat_log);
  config.node.log_level = options.verbose ? LogLevel::debug : LogLevel::info;
  const auto tcp_port = config.node.tcp_port;
  const auto router_port = config.node.router_port;
  const bool serves_router = config.serve_router && config.node.router_addr.empty();
  const auto wanted_listeners = config.node.listen.size();

  auto node = Node::create(std::move(config.node));
  if (!node) return exit_with(node.error());
  if (options.strict && (*node)->listeners().size() < wanted_listeners) {
    return exit_with(Error{Errc::io, "a listener could not be opened"});
  }
  // The local API is bound before anyone on the network hears of this node.
  if (const auto bound = serve_api(**node, config.bridge_addr, config.api_port, config.legacy_patterns); !bound)
    return exit_with(bound.error());
  if (serves_router) {
    const auto bound = serve_router(**node, options.router_port.value_or(router_port));
    if (!bound && options.strict) return exit_with(bound.error());
    if (!bound) complain(bound.error().text());
  }
  if (const auto started = (*node)->start(); !started) return exit_with(started.error());
  say("[node] Gensyn Node Started!");
  say(fmt::format("[node] Our IPv6: {}", (*node)->address().to_string()));
  say(fmt::format("[node] Our Public Key: {}", (*node)->key().to_hex()));
  say(fmt::format("TCP Listener started on port {}", tcp_port));

  HeapTidier heap;
  wait_for_end([&heap] { heap.look(); });
  say("[node] Shutting down");
  end_in_order(**node);
  return 0;
}

}  // namespace axl::daemon
