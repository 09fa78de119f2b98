// A server, a loop in virtual time, and clients that write raw bytes.
#pragma once

#include <axl/bytes.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/server.hpp"
#include "pipe_stream.hpp"

namespace axl::test {

using namespace std::chrono_literals;

class RawClient final : public StreamHandler {
 public:
  explicit RawClient(Pipe::Options options = {}) : pipe{options}, stream{pipe.first()} { stream->set_handler(this); }

  void send(std::string_view text) { stream->write(Buffer::copy_of(as_bytes(text))); }
  void vanish() { stream.reset(); }
  /// What came since the last call.
  std::string take() { return std::exchange(received, {}); }

  void on_data(Buffer data) override {
    total += data.size();
    if (keep) received += as_text(data);
  }
  void on_end() override { ended = true; }
  void on_closed(const Error* error) override {
    closed = true;
    reset = error != nullptr;
  }

  Pipe pipe;
  std::unique_ptr<Stream> stream;
  std::string received;
  std::size_t total = 0;
  bool keep = true;
  bool ended = false;  // the server sends no more
  bool closed = false;
  bool reset = false;
};

class ServerRig {
 public:
  explicit ServerRig(http::RequestHandler handler, http::ServerLimits limits = {})
      : server{std::make_unique<http::Server>(std::move(limits), executor, std::move(handler))} {}

  RawClient& connect(Pipe::Options options = {}, http::Client client = {}) {
    auto& raw = *clients.emplace_back(std::make_unique<RawClient>(options));
    server->accept(raw.pipe.second(), client, now);
    return raw;
  }
  /// Everything that can happen without time passing.
  void run() {
    for (bool moved = true; moved;) {
      moved = executor.run_one();
      for (std::size_t i = 0; i < clients.size(); ++i) moved = clients[i]->pipe.step() || moved;
    }
  }
  void advance(Duration by) {
    const auto end = now + by;
    run();
    while (server && server->next_tick() && *server->next_tick() <= end) {
      now = *server->next_tick();
      server->on_tick(now);
      run();
    }
    now = end;
  }
  /// Sends on a new connection and returns what comes back.
  std::string ask(std::string_view text, Pipe::Options options = {}) {
    auto& client = connect(options);
    client.send(text);
    run();
    return client.take();
  }

  TestExecutor executor;
  Time now{};
  std::vector<std::unique_ptr<RawClient>> clients;
  std::unique_ptr<http::Server> server;
};

/// The body of one answer with a head.
inline std::string body_of(std::string_view answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == std::string_view::npos ? std::string{} : std::string{answer.substr(end + 4)};
}

/// Answers with method, target and body.
inline void echo(http::Exchange exchange) {
  std::move(exchange).collect({}, [](http::Exchange answer, Buffer body) {
    std::string text = answer.request().method + " " + answer.request().target.text() + " ";
    text += as_text(body);
    answer.respond(200, {}, Buffer::copy_of(as_bytes(text)));
  });
}

}  // namespace axl::test
