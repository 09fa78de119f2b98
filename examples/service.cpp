// A service in one node, called from another: HTTP on a session to overlay port 7001, where nodes serve each other.
// An MCP client would go through its own node instead, at http://127.0.0.1:9002/mcp/{key}/greeter.
#include <axl/axl.hpp>
#include <cstdio>
#include <future>

namespace {

std::unique_ptr<axl::Node> make_node(axl::NodeConfig config) {
  auto node = axl::Node::create(std::move(config));
  if (!node) {
    std::fprintf(stderr, "%s\n", node.error().text().c_str());
    std::exit(1);
  }
  return *std::move(node);
}

}  // namespace

int main() {
  axl::NodeConfig first;
  first.listen = {"tls://127.0.0.1:0"};
  const auto alice = make_node(std::move(first));
  axl::NodeConfig second;
  second.peers = {{.uri = alice->listeners().at(0)}};
  const auto bob = make_node(std::move(second));

  // Only Bob may use it. The caller's key is proved by the encrypted session.
  const axl::ServiceAccess only_bob{.everyone = false, .allow = {bob->key()}};
  const auto added =
      alice->router().add_service("greeter", only_bob, [](const axl::ServiceRequest& request, axl::ServiceReply reply) {
        std::printf("%s from %s\n", request.method.c_str(), request.caller.to_hex().c_str());
        reply.respond_json(R"({"jsonrpc":"2.0","id":1,"result":{"greeting":"hello, Bob"}})");
      });
  if (!added || !alice->start() || !bob->start()) return 1;

  const std::string body = R"({"jsonrpc":"2.0","id":1,"method":"greet"})";
  const std::string request =
      "POST /mcp/greeter HTTP/1.1\r\nHost: [" + axl::Address::of(alice->key()).to_string() +
      "]\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + body;
  std::promise<void> ended;
  std::string answer;
  axl::Session call;
  bob->connect(alice->key(), 7001, [&](axl::Result<axl::Session> session) {
    if (!session) return ended.set_value();
    call = *std::move(session);
    call.on_data([&](const axl::Bytes& data) { answer += axl::as_text(data); });
    call.on_closed([&](const axl::Error*) { ended.set_value(); });
    call.on_end([&] { call.close(); });
    static_cast<void>(call.write(axl::to_bytes(request)));
  });
  ended.get_future().wait();
  std::printf("%s\n", answer.c_str());
  return answer.find("hello, Bob") == std::string::npos ? 1 : 0;
}
