#include <axl/router.hpp>
#include <chrono>

#include "json.hpp"
#include "node.hpp"
#include "request.hpp"
#include "status.hpp"

using namespace axl::c;

namespace {

constexpr std::size_t kMaxWaiting = 256;

axl::Result<axl_service_options> read(const axl_service_options* options) {
  auto out = read_options(options, AXL_SIZE_UP_TO(axl_service_options, idle_ms));
  if (!out) return out;
  if ((out->allow == nullptr && out->allow_count > 0) || (out->environment == nullptr && out->environment_count > 0)) {
    return axl::Error{axl::Errc::invalid_argument, "a list is NULL and its count is not 0"};
  }
  if (out->allow_count > 0 && out->restricted == 0) {
    return axl::Error{axl::Errc::invalid_argument, "`allow` is given without `restricted`: everyone could use it"};
  }
  if (out->max_waiting == 0) out->max_waiting = kMaxWaiting;
  return out;
}

axl::ServiceAccess access_of(const axl_service_options& options) {
  axl::ServiceAccess access;
  access.everyone = options.restricted == 0;
  for (std::size_t i = 0; i < options.allow_count; ++i) access.allow.push_back(to_key(options.allow[i]));
  return access;
}

}  // namespace

extern "C" {

axl_status axl_service_add(axl_node* node, const char* name, const axl_service_options* options) {
  if (node == nullptr || name == nullptr) return missing("no node or no name");
  return guarded([&] {
    const auto given = read(options);
    if (!given) return fail(given.error());
    const auto serving = std::make_shared<Serving>(node->queue(), given->user, given->max_waiting);
    return node->on_loop([&](axl::Node& on) {
      return done(on.router().add_service(name, access_of(*given),
                                          [serving](axl::ServiceRequest request, axl::ServiceReply reply) {
                                            serving->serve(std::move(request), std::move(reply));
                                          }));
    });
  });
}

axl_status axl_service_add_url(axl_node* node, const char* name, const char* url, const axl_service_options* options) {
  if (node == nullptr || name == nullptr || url == nullptr) return missing("no node, name or URL");
  return guarded([&] {
    const auto given = read(options);
    if (!given) return fail(given.error());
    std::optional<axl::ServiceProbe> probe;
    if (given->probe_path != nullptr) {
      probe.emplace().path = given->probe_path;
      if (given->probe_interval_ms > 0) probe->interval = std::chrono::milliseconds{given->probe_interval_ms};
    }
    return node->on_loop(
        [&](axl::Node& on) { return done(on.router().add_service(name, std::string{url}, access_of(*given), probe)); });
  });
}

axl_status axl_service_add_command(axl_node* node, const char* name, const char* const* command,
                                   const axl_service_options* options) {
  if (node == nullptr || name == nullptr || command == nullptr) return missing("no node, name or command");
  return guarded([&] {
    const auto given = read(options);
    if (!given) return fail(given.error());
    axl::ServiceCommand run;
    for (; *command != nullptr; ++command) run.command.emplace_back(*command);
    for (std::size_t i = 0; i < given->environment_count; ++i) {
      run.environment.emplace_back(to_string(given->environment[i].name), to_string(given->environment[i].value));
    }
    run.directory = to_string(given->directory);
    if (given->max_processes > 0) run.max_processes = given->max_processes;
    if (given->idle_ms > 0) run.idle = std::chrono::milliseconds{given->idle_ms};
    return node->on_loop([&](axl::Node& on) { return done(on.router().add_service(name, run, access_of(*given))); });
  });
}

axl_status axl_service_remove(axl_node* node, const char* name) {
  if (node == nullptr || name == nullptr) return missing("no node or no name");
  return guarded([&] {
    return node->on_loop([&](axl::Node& on) {
      return on.router().remove_service(name) ? AXL_OK : fail(AXL_E_NOT_FOUND, "no service has this name");
    });
  });
}

axl_status axl_services(axl_node* node, char** json) {
  if (node == nullptr || json == nullptr) return missing("no node or no place for a text");
  *json = nullptr;
  return guarded([&] {
    return node->on_loop([&](axl::Node& on) {
      *json = new_text(services_json(on.router().services()));
      return AXL_OK;
    });
  });
}

}  // extern "C"
