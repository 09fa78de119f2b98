// The router's own HTTP API, on port 9003 of this machine: services register themselves, and programs call them, as
// with the router process of the reference.
//
//   POST /register {"service":S,"endpoint":URL}   DELETE /register/S   GET /services   GET /health
//   POST /route {"service":S,"request":JSONRPC,"from_peer_id":ID}
//
// Stricter than the reference: an endpoint must be a URL, of this machine unless allowed otherwise; a list in place of
// an object is 400, not 500; the request limit is `max_message_size`; an id that is a key is held to the service's
// allow list.
//
// Source: bridge, section 5.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/scheduler.hpp"
#include "core/stream.hpp"
#include "http/routes.hpp"
#include "http/server.hpp"
#include "services/fetch.hpp"
#include "services/service_table.hpp"

namespace axl::services {

class Registry;

class RouterApi {
 public:
  struct Config {
    PublicKey own;
    std::size_t max_body = 16'777'216;
    Duration timeout{std::chrono::seconds{30}};  ///< for a backend's answer to /route
  };
  /// Answers what must not go on, and says false then: the rule of the local API.
  using Admission = std::function<bool(http::Exchange& exchange)>;

  /// `registry` and `scheduler` must outlive it.
  RouterApi(const Config& config, Registry& registry, Scheduler& scheduler, Admission admit);
  RouterApi(const RouterApi&) = delete;
  RouterApi& operator=(const RouterApi&) = delete;
  ~RouterApi();

  void accept(std::unique_ptr<Stream> stream);
  void drain() { server_.drain(); }
  [[nodiscard]] std::size_t under_way() const noexcept { return server_.answering(); }

 private:
  class Call;

  void serve(http::Exchange exchange);
  void serve_registration(http::Exchange exchange, ByteSpan body);
  void serve_removal(http::Exchange exchange);
  void serve_list(http::Exchange exchange);
  void serve_health(http::Exchange exchange);
  void serve_route(http::Exchange exchange, ByteSpan body);
  void arm();

  Config config_;
  Registry& registry_;
  Scheduler& scheduler_;
  Admission admit_;
  std::map<std::uint64_t, std::unique_ptr<Call>> calls_;
  std::uint64_t next_ = 1;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  http::Server server_;
  std::unique_ptr<Timer> timer_;
};

}  // namespace axl::services
