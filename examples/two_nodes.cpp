// Two nodes in one process, linked over TLS on loopback: one sends a message, the other answers on a session.
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

  // Alice prints what arrives in her queue, and answers each line of a session on overlay port 4000.
  alice->router().on_message([](const axl::Message& message) {
    std::printf("alice got \"%s\" from %s\n", std::string{message.body.text()}.c_str(),
                message.sender.to_hex().c_str());
  });
  const auto listening = alice->listen(4000, [](axl::Session session) {
    auto kept = std::make_shared<axl::Session>(std::move(session));
    kept->on_message([kept](axl::MessageBody body) { static_cast<void>(kept->send_message(std::move(body))); });
    kept->on_closed([kept](const axl::Error*) mutable { kept.reset(); });
  });
  if (!listening || !alice->start() || !bob->start()) return 1;

  std::promise<bool> sent;
  bob->send(alice->key(), axl::to_bytes("hello, mesh"), [&](const auto& report) { sent.set_value(report.ok()); });
  if (!sent.get_future().get()) return 1;

  std::promise<std::string> echoed;
  axl::Session conversation;
  bob->connect(alice->key(), 4000, [&](axl::Result<axl::Session> session) {
    if (!session) return echoed.set_value("");
    conversation = *std::move(session);
    conversation.on_message([&](const axl::MessageBody& body) { echoed.set_value(std::string{body.text()}); });
    static_cast<void>(conversation.send_message(axl::to_bytes("and back")));
  });
  const auto echo = echoed.get_future().get();
  std::printf("bob got \"%s\"\n", echo.c_str());
  conversation.close();
  return echo == "and back" ? 0 : 1;
}
