// A command service with real processes, and clients that speak HTTP to it through pipes.
#pragma once

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crypto/hash.hpp"
#include "net/machine_system.hpp"
#include "net/timer.hpp"
#include "services/stdio_server.hpp"

namespace axl::test {

/// A loop in real time, whose clock can be set forward for what is not waited for.
class LoopScheduler final : public Scheduler, public Executor {
 public:
  explicit LoopScheduler(asio::io_context& loop) : loop_{loop} {}
  [[nodiscard]] Time now() const override { return net::SteadyClock{}.now() + ahead; }
  [[nodiscard]] std::unique_ptr<Timer> make_timer(std::function<void()> fire) override {
    return std::make_unique<LoopTimer>(*this, std::move(fire));
  }
  [[nodiscard]] Executor& executor() override { return *this; }
  [[nodiscard]] Rng& rng() override { return rng_; }
  void post(std::function<void()> task) override { asio::post(loop_, std::move(task)); }
  [[nodiscard]] bool on_loop() const noexcept override { return true; }

  Duration ahead{};

 private:
  class LoopTimer final : public Timer {
   public:
    LoopTimer(LoopScheduler& owner, std::function<void()> fire)
        : owner_{owner}, timer_{owner.loop_, net::SteadyClock{}, std::move(fire)} {}
    void arm(Time at) override { timer_.arm(at - owner_.ahead); }
    void cancel() override { timer_.disarm(); }

   private:
    LoopScheduler& owner_;
    net::Timer timer_;
  };

  asio::io_context& loop_;
  crypto::SeededRng rng_{1};
};

/// One request and what came back so far.
class Call final : private http::ResponseEvents {
 public:
  Call(http::Upstream& server, const PublicKey& key, std::string method, http::Headers headers, std::string body)
      : method_{std::move(method)}, headers_{std::move(headers)}, body_{std::move(body)} {
    waiting_ = server.acquire({.key = key}, false, [this](Result<std::unique_ptr<http::Lease>> lease) {
      if (!lease) return;
      lease_ = *std::move(lease);
      headers_.set("Host", "localhost");
      const auto sent = lease_->connection().send({method_, "/mcp", headers_},
                                                  Buffer::copy_of(std::as_bytes(std::span{body_})), *this);
      if (!sent) failed = true;
    });
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() = default;

  /// The client's end of the connection is gone.
  void vanish() { lease_.reset(); }
  [[nodiscard]] std::string header(std::string_view name) const {
    return std::string{head.headers.get(name).value_or("")};
  }
  /// The values of all `data` lines, empty ones left out.
  [[nodiscard]] std::vector<std::string> events() const { return fields("data: "); }
  [[nodiscard]] std::vector<std::string> ids() const { return fields("id: "); }
  [[nodiscard]] bool over() const { return complete || failed; }

  http::ResponseHead head;  // status 0: none yet
  std::string text;
  bool complete = false;
  bool failed = false;

 private:
  [[nodiscard]] std::vector<std::string> fields(std::string_view name) const {
    std::vector<std::string> found;
    for (std::size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find('\n', at), text.size());
      const auto line = std::string_view{text}.substr(at, end - at);
      if (line.starts_with(name) && line.size() > name.size()) found.emplace_back(line.substr(name.size()));
      at = end + 1;
    }
    return found;
  }
  void on_response(const http::ResponseHead& given) override { head = given; }
  void on_body(Buffer piece) override { text.append(reinterpret_cast<const char*>(piece.data()), piece.size()); }
  void on_complete() override { complete = true; }
  void on_failed(const Error&, http::Delivery) override { failed = true; }

  std::string method_;
  http::Headers headers_;
  std::string body_;
  std::unique_ptr<http::Upstream::Waiting> waiting_;
  std::unique_ptr<http::Lease> lease_;
};

class StdioRig {
 public:
  static PublicKey key(unsigned number) {
    std::array<std::byte, PublicKey::kSize> bytes{};
    bytes[0] = static_cast<std::byte>(number);
    return PublicKey{bytes};
  }

  explicit StdioRig(services::StdioLimits limits = {}, std::vector<std::string> command = program({}))
      : log{[this](LogLevel, std::string_view, std::string_view line) { lines.emplace_back(line); }, LogLevel::debug},
        server{std::make_unique<services::StdioServer>("tool", ProcessOptions{std::move(command), {}, {}}, limits,
                                                       system, scheduler, budget, log)} {}

  static std::vector<std::string> program(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"python3", AXL_STDIO_PROGRAM});
    return arguments;
  }

  bool wait(const std::function<bool()>& done) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (!done()) {
      if (std::chrono::steady_clock::now() >= end) return false;
      loop.restart();
      loop.run_one_for(std::chrono::milliseconds{100});
    }
    return true;
  }

  std::unique_ptr<Call> begin(std::string method, http::Headers headers, std::string body = {}, unsigned who = 1) {
    return std::make_unique<Call>(*server, key(who), std::move(method), std::move(headers), std::move(body));
  }
  std::unique_ptr<Call> ask(std::string method, http::Headers headers, std::string body = {}, unsigned who = 1) {
    auto call = begin(std::move(method), std::move(headers), std::move(body), who);
    static_cast<void>(wait([&] { return call->over(); }));
    return call;
  }
  static http::Headers post_headers(std::string_view session = {}, std::string_view accept = kBoth) {
    http::Headers headers{{"Content-Type", "application/json"}, {"Accept", accept}};
    if (!session.empty()) headers.add("Mcp-Session-Id", session);
    return headers;
  }
  static http::Headers modern_headers(std::string_view accept = kBoth) {
    auto headers = post_headers({}, accept);
    headers.add("MCP-Protocol-Version", "2026-07-28");
    return headers;
  }
  static http::Headers get_headers(std::string_view session, std::string_view last = {}) {
    http::Headers headers{{"Accept", "text/event-stream"}, {"Mcp-Session-Id", session}};
    if (!last.empty()) headers.add("Last-Event-ID", last);
    return headers;
  }
  /// A tool call as JSON-RPC.
  static std::string tool(std::string_view id, std::string_view name, std::string_view arguments = "{}",
                          std::string_view token = {}) {
    auto text =
        std::string{R"({"jsonrpc":"2.0","id":)"}.append(id).append(R"(,"method":"tools/call","params":{"name":")");
    text.append(name).append(R"(","arguments":)").append(arguments);
    if (!token.empty()) text.append(R"(,"_meta":{"progressToken":)").append(token).append("}");
    return text.append("}}");
  }
  /// The id of a new session.
  std::string open(unsigned who = 1, std::string_view version = "2025-06-18") {
    const auto call = ask("POST", post_headers(), initialize(version), who);
    return call->header("Mcp-Session-Id");
  }
  static std::string initialize(std::string_view version = "2025-06-18") {
    return std::string{R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":")"}
        .append(version)
        .append("\"}}");
  }

  static constexpr std::string_view kBoth = "application/json, text/event-stream";

  std::vector<std::string> lines;  // of the log
  asio::io_context loop;
  LoopScheduler scheduler{loop};
  net::MachineSystem system{loop};
  services::CallerBudget budget{256UL * 1024 * 1024};
  Logger log;
  std::unique_ptr<services::StdioServer> server;
};

}  // namespace axl::test
