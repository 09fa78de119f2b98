#include <fmt/format.h>

#include <axl/node.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <utility>

#include "console_log.hpp"
#include "heap.hpp"
#include "run.hpp"
#include "serve.hpp"
#include "signals.hpp"

namespace axl::daemon {

namespace {

constexpr const char* kGreetingTopic = "axl-demo";

// Sends every message back to whoever it came from.
void echo(Node& node) {
  node.router().on_message([&node](const Message& message) {
    SendOptions options;
    options.topic = message.topic;
    node.send(message.sender, message.body, std::move(options), [](const Result<SendReport>& report) {
      if (!report) complain(fmt::format("echo: {}", report.error().text()));
    });
  });
}

// The time from handing a message over until its echo is back; an error when there was none.
Result<Duration> first_round_trip(Node& node, const PublicKey& peer) {
  using Outcome = Result<Duration>;
  const auto outcome = std::make_shared<std::promise<Outcome>>();
  const auto said = std::make_shared<bool>(false);  // on the loop only
  const auto settle = [outcome, said](Outcome value) {
    if (!std::exchange(*said, true)) outcome->set_value(std::move(value));
  };
  const auto start = std::chrono::steady_clock::now();
  node.post([&node, settle, start] {
    node.router().on_topic(kGreetingTopic, [settle, start](const Message&) {
      settle(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - start));
    });
  });
  SendOptions options;
  options.topic = kGreetingTopic;
  node.send(peer, to_bytes("hello, mesh"), std::move(options), [settle](const Result<SendReport>& report) {
    if (!report) settle(report.error());
  });
  return outcome->get_future().get();
}

void say_what_to_try(std::uint16_t port, const PublicKey& peer) {
  const auto api = fmt::format("http://127.0.0.1:{}", port);
  say("");
  say("Try, in another terminal:");
  say(fmt::format("  curl -si -H 'X-Destination-Peer-Id: {}' -d 'hello' {}/send", peer.to_hex(), api));
  say(fmt::format("  curl -si '{}/recv?wait=10'", api));
  say(fmt::format("  curl -s {}/topology", api));
  say("");
  say("Ctrl-C ends the demo.");
}

}  // namespace

int run_demo(const Options& options) {
  constexpr std::uint16_t kDefaultPort = 9002;
  NodeConfig config;
  config.log = make_console_log(options.compat_log);
  config.log_level = options.verbose ? LogLevel::debug : LogLevel::warning;
  NodeConfig echo_config = config;
  echo_config.listen = {"tls://127.0.0.1:0"};

  auto echo_node = Node::create(std::move(echo_config));
  if (!echo_node) return exit_with(echo_node.error());
  const auto listeners = (*echo_node)->listeners();
  if (listeners.empty()) return exit_with(Error{Errc::io, "cannot listen on 127.0.0.1"});
  echo(**echo_node);

  config.peers = {{.uri = listeners.front()}};
  auto node = Node::create(std::move(config));
  if (!node) return exit_with(node.error());
  const auto port = serve_api(**node, "127.0.0.1", options.api_port.value_or(kDefaultPort));
  if (!port) return exit_with(port.error());
  if (const auto started = (*echo_node)->start(); !started) return exit_with(started.error());
  if (const auto started = (*node)->start(); !started) return exit_with(started.error());
  say(fmt::format("[node] Our Public Key: {}", (*node)->key().to_hex()));
  say(fmt::format("[echo] Its Public Key: {}  ({})", (*echo_node)->key().to_hex(), listeners.front()));

  const auto round_trip = first_round_trip(**node, (*echo_node)->key());
  if (!round_trip) return exit_with(round_trip.error());
  const auto elapsed = std::chrono::duration<double, std::milli>(*round_trip).count();
  say(fmt::format("[node] First message there and back in {:.1f} ms, connecting included", elapsed));
  say_what_to_try(*port, (*echo_node)->key());

  HeapTidier heap;
  wait_for_end([&heap] { heap.look(); });
  end_in_order(**node);
  (*echo_node)->stop();
  return 0;
}

}  // namespace axl::daemon
