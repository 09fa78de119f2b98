// Requests to an old peer: an HTTP client, the requester, and a script in the role of the peer.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "../bridge/test_mesh.hpp"
#include "bridge/old_peer_requests.hpp"
#include "http/server.hpp"

namespace axl::test {

using namespace std::chrono_literals;

inline std::string framed(std::string_view body) {
  const auto header = router::frame_header(body.size());
  return std::string{as_text(header)} + std::string{body};
}

class RequestsRig {
 public:
  explicit RequestsRig(bridge::OldPeerConfig config = {})
      : requests{std::make_unique<bridge::OldPeerRequests>(config, node)},
        server{{}, mesh.loop.executor(), [this](http::Exchange exchange) {
                 const std::string path{exchange.request().target.path()};
                 if (path.starts_with("/mcp/")) return requests->serve_mcp(std::move(exchange), peer, path.substr(5));
                 requests->serve_a2a(std::move(exchange), peer, path.substr(4));
               }} {
    mesh.listen(peer, 7000,
                [this](auto connection) { peers.push_back(std::make_unique<Recorder>(std::move(connection))); });
    client = connect();
  }

  /// One more client.
  std::unique_ptr<http::ClientConnection> connect() {
    auto [ours, theirs] = mesh.loop.make_pipe();
    server.accept(std::move(theirs), {}, mesh.loop.now());
    return std::make_unique<http::ClientConnection>(std::move(ours), http::ClientLimits{}, mesh.loop.executor(),
                                                    mesh.loop.now());
  }

  std::shared_ptr<Answer> begin(std::string_view method, std::string_view target, std::string_view body = {},
                                std::vector<std::pair<std::string, std::string>> headers = {}) {
    return begin_on(*client, method, target, body, std::move(headers));
  }
  std::shared_ptr<Answer> begin_on(http::ClientConnection& connection, std::string_view method, std::string_view target,
                                   std::string_view body = {},
                                   std::vector<std::pair<std::string, std::string>> headers = {}) {
    http::Request request{.method = method, .target = target, .headers = {{"Host", "127.0.0.1:9002"}}};
    for (const auto& [name, value] : headers) request.headers.add_line(name, value);
    auto answer = std::make_shared<Answer>();
    const auto sent = connection.send(request, Buffer::copy_of(as_bytes(body)), http::BodyLimits{},
                                   [answer](Result<http::Response> response, http::Delivery) {
                                     if (!response) return;
                                     answer->status = response->head.status;
                                     answer->headers = response->head.headers;
                                     answer->body = as_text(response->body);
                                   });
    REQUIRE(sent);
    mesh.loop.run();
    return answer;
  }
  /// One whole round: what the peer got is in `got`, and it answers with `envelope`.
  Answer ask(std::string_view method, std::string_view target, std::string_view body, std::string_view envelope,
             std::vector<std::pair<std::string, std::string>> headers = {}) {
    const auto answer = begin(method, target, body, std::move(headers));
    got.clear();
    if (answer->status == 0 && !peers.empty()) {
      got = peers.back()->received.substr(4);
      peers.back()->write(framed(envelope));
    }
    mesh.loop.run_until([&] { return answer->status != 0; });
    return *answer;
  }
  Answer mcp(std::string_view body, std::string_view envelope,
             std::vector<std::pair<std::string, std::string>> headers = {}) {
    return ask("POST", "/mcp/svc", body, envelope, std::move(headers));
  }

  TestMesh mesh;
  TestNode& node = mesh.add(1);
  PublicKey peer = key_of(2);
  std::vector<std::unique_ptr<Recorder>> peers;  // connections that it accepted
  std::string got;
  std::unique_ptr<bridge::OldPeerRequests> requests;
  http::Server server;
  std::unique_ptr<http::ClientConnection> client;
};

}  // namespace axl::test
