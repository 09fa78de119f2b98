#include "services/registry.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "mcp/json.hpp"
#include "services/stdio_server.hpp"

namespace axl::services {

namespace {

constexpr std::size_t kBodiesUnderWay = 256UL * 1024 * 1024;

// As the reference writes it: 2026-11-22T01:52:11.261614+00:00.
std::string utc_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  const auto seconds = static_cast<std::time_t>(micros / 1'000'000);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}+00:00", fmt::gmtime(seconds), micros % 1'000'000);
}

}  // namespace

Registry::Registry(const Config& config, System& system, Scheduler& scheduler, Logger logger)
    : config_{config},
      system_{system},
      scheduler_{scheduler},
      logger_{std::move(logger)},
      budget_{std::max(kBodiesUnderWay, config.max_message_size * 4)},
      urls_{system, scheduler, config.dial_timeout},
      probes_{scheduler, [this](const std::string& name, bool healthy) { table_.set_healthy(name, healthy); }} {}

Result<void> Registry::add(std::string name, ServiceInfo::Kind kind, std::string endpoint, ServiceAccess access,
                           Backend backend) {
  Service service;
  service.info = {
      .name = name, .kind = kind, .endpoint = std::move(endpoint), .registered_at = utc_now(), .healthy = true};
  service.access = std::move(access);
  service.backend = std::move(backend);
  service.backend.legacy_peer_id = config_.legacy_peer_id;
  if (auto added = table_.add(std::move(service)); !added) return added;
  probes_.remove(name);
  logger_(LogLevel::info, "services", "{} {} is registered", kind_name(kind), mcp::json::quote(name));
  if (changed_) changed_();
  return {};
}

Result<void> Registry::add_handler(std::string name, ServiceAccess access, ServiceHandler handler) {
  auto backend =
      make_handler_backend(name, std::move(handler), {.max_body = config_.max_message_size}, budget_, scheduler_);
  return add(std::move(name), ServiceInfo::Kind::handler, {}, std::move(access), std::move(backend));
}

Result<void> Registry::add_url(std::string name, const std::string& url, ServiceAccess access,
                               std::optional<ServiceProbe> probe) {
  auto backend = url_backend(url);
  if (!backend) return backend.error();
  const auto kept = *backend;
  if (auto added = add(name, ServiceInfo::Kind::url, url, std::move(access), *std::move(backend)); !added) return added;
  if (probe) probes_.add(name, kept, *probe);
  return {};
}

Result<void> Registry::register_endpoint(const std::string& name, const std::string& url) {
  const auto parsed = http::Url::parse(url);
  if (!parsed) return Error{parsed.error().code(), "endpoint: " + parsed.error().text()};
  if (!config_.allow_remote_endpoints && !parsed->is_loopback()) {
    return Error{Errc::permission_denied, "endpoint: only servers of this machine may register"};
  }
  // Who may connect to a socket says its file, and this node may be somebody who may.
  if (!config_.allow_remote_endpoints && parsed->place.port == 0) {
    return Error{Errc::permission_denied, "endpoint: a Unix socket must be named in the configuration"};
  }
  const auto fixed = fixed_access_.find(name);
  auto access = fixed != fixed_access_.end() ? fixed->second : ServiceAccess{.everyone = !config_.deny_by_default};
  return add_url(name, url, std::move(access), {});
}

Result<Backend> Registry::url_backend(const std::string& url) {
  const auto parsed = http::Url::parse(url);
  if (!parsed) return parsed.error();
  auto backend = urls_.make(*parsed);
  backend.legacy_peer_id = config_.legacy_peer_id;
  return backend;
}

Result<void> Registry::add_command(std::string name, ServiceCommand command, ServiceAccess access) {
  if (command.command.empty() || command.command.front().empty() || command.max_processes == 0) {
    return Error{Errc::invalid_argument, "a command service needs a program, and at least one process"};
  }
  const bool shared = access.everyone || access.allow.size() > 1;
  auto share = command.max_processes_per_caller;
  if (share == 0) share = shared ? (command.max_processes + 1) / 2 : command.max_processes;
  std::string line;
  for (const auto& word : command.command) line.append(line.empty() ? "" : " ").append(word);
  ProcessOptions options{.command = std::move(command.command),
                         .environment = std::move(command.environment),
                         .directory = std::move(command.directory)};
  auto backend = make_stdio_backend(name, std::move(options),
                                    {.max_processes = command.max_processes,
                                     .max_per_caller = share,
                                     .max_message = config_.max_message_size,
                                     .idle = command.idle},
                                    system_, scheduler_, budget_, logger_);
  return add(std::move(name), ServiceInfo::Kind::command, std::move(line), std::move(access), std::move(backend));
}

bool Registry::remove(std::string_view name) {
  if (!table_.remove(name)) return false;
  probes_.remove(name);
  logger_(LogLevel::info, "services", "{} is gone", mcp::json::quote(name));
  if (changed_) changed_();
  return true;
}

}  // namespace axl::services
