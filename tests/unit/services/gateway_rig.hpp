// A gateway behind a server, with clients that write raw bytes; all real, joined by pipes, in virtual time.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <utility>

#include "http/pipe.hpp"
#include "http/server.hpp"
#include "mcp_rig.hpp"
#include "services/gateway.hpp"
#include "services/registry.hpp"

namespace axl::test {

using namespace std::chrono_literals;

class GatewayClient final : public StreamHandler {
 public:
  explicit GatewayClient(std::unique_ptr<Stream> of) : stream{std::move(of)} { stream->set_handler(this); }
  void send(std::string_view text) { stream->write(Buffer::copy_of(as_bytes(text))); }
  std::string take() { return std::exchange(received, {}); }
  void on_data(Buffer data) override { received += as_text(data.span()); }
  void on_end() override { ended = true; }
  void on_closed(const Error* error) override { cut = error != nullptr; }

  std::unique_ptr<Stream> stream;
  std::string received;
  bool ended = false;
  bool cut = false;
};

/// Servers that refuse, or never answer a dial.
class TestSystem final : public System {
 public:
  explicit TestSystem(Executor& executor) : executor_{executor} {}
  void dial(const Place& place, Duration, DialHandler handler) override {
    places.push_back(place);
    executor_.post([this, handler = std::move(handler)] {
      if (!server) return handler(Error{Errc::refused, "nobody listens"});
      auto [near, far] = http::make_pipe(executor_);
      server(std::move(far));
      handler(std::move(near));
    });
  }
  [[nodiscard]] Result<std::unique_ptr<Process>> start(const ProcessOptions&) override {
    return Error{Errc::not_found, "no such program"};
  }
  std::vector<Place> places;
  std::function<void(std::unique_ptr<Stream>)> server;

 private:
  Executor& executor_;
};

struct GatewayRig {
  explicit GatewayRig(services::Registry::Config config = {}, services::Gateway::Config gateway_config = {})
      : registry{config, system, loop, {}}, gateway{with_own(gateway_config), registry.table(), loop, {}} {}
  ~GatewayRig() {
    clients.clear();
    loop.run();
  }
  static services::Gateway::Config with_own(services::Gateway::Config config) {
    config.own = key_of(1);
    return config;
  }
  GatewayClient& connect() {
    auto [near, far] = http::make_pipe(loop.executor());
    server.accept(std::move(far), {.key = caller}, loop.now());
    return clients.emplace_back(std::move(near));
  }
  std::string ask(std::string_view text) {
    auto& client = connect();
    client.send(text);
    loop.run();
    return client.take();
  }
  std::string get(std::string_view target) {
    return ask("GET " + std::string{target} + " HTTP/1.1\r\nHost: peer\r\n\r\n");
  }

  McpLoop loop;
  PublicKey caller = key_of(2);
  TestSystem system{loop.executor()};
  services::Registry registry;
  services::Gateway gateway;
  http::Server server{{}, loop.executor(), [this](http::Exchange exchange) {
                        const auto key = *exchange.client().key;
                        gateway.serve(std::move(exchange), key);
                      }};
  std::list<GatewayClient> clients;
};

}  // namespace axl::test
