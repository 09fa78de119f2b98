// Services that are handlers, a loop in virtual time, and clients of what is under test.
#pragma once

#include <algorithm>
#include <axl/service.hpp>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/scheduler.hpp"
#include "crypto/hash.hpp"
#include "mcp/json.hpp"
#include "pipe_stream.hpp"
#include "services/caller_budget.hpp"
#include "services/handler_server.hpp"
#include "services/service_table.hpp"

namespace axl::test {

/// Tasks and timers in virtual time.
class McpLoop final : public Scheduler {
 public:
  [[nodiscard]] Time now() const override { return now_; }
  [[nodiscard]] Executor& executor() override { return executor_; }
  [[nodiscard]] Rng& rng() override { return rng_; }
  [[nodiscard]] std::unique_ptr<Timer> make_timer(std::function<void()> fire) override {
    return std::make_unique<LoopTimer>(*this, std::move(fire));
  }
  /// All that is due now.
  void run() {
    for (bool moved = true; moved;) moved = executor_.run_one() || fire_one();
  }
  void advance(Duration duration) {
    const auto end = now_ + duration;
    run();
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      now_ = std::max(now_, timers_.begin()->first.first);
      run();
    }
    now_ = end;
  }

 private:
  using Key = std::pair<Time, std::uint64_t>;
  class LoopTimer final : public Timer {
   public:
    LoopTimer(McpLoop& loop, std::function<void()> fire)
        : loop_{loop}, fire_{std::make_shared<std::function<void()>>(std::move(fire))} {}
    ~LoopTimer() override { cancel(); }
    void arm(Time at) override {
      cancel();
      key_ = {at, ++loop_.next_};
      loop_.timers_.emplace(key_, fire_);
    }
    void cancel() override { loop_.timers_.erase(key_); }

   private:
    McpLoop& loop_;
    std::shared_ptr<std::function<void()>> fire_;
    Key key_{};
  };

  bool fire_one() {
    if (timers_.empty() || timers_.begin()->first.first > now_) return false;
    const auto fire = timers_.begin()->second;
    timers_.erase(timers_.begin());
    (*fire)();
    return true;
  }

  Time now_{std::chrono::hours{1}};
  TestExecutor executor_;
  crypto::SeededRng rng_{1};
  std::map<Key, std::shared_ptr<std::function<void()>>> timers_;
  std::uint64_t next_ = 0;
};

inline PublicKey key_of(int number) {
  std::array<std::byte, PublicKey::kSize> bytes{};
  bytes[0] = static_cast<std::byte>(number);
  bytes[31] = std::byte{1};
  return PublicKey{bytes};
}

/// The member at `path`, names and numbers of elements parted by dots; empty when there is none.
inline std::string json_at(std::string_view json, std::string_view path) {
  while (!path.empty()) {
    const auto name = path.substr(0, path.find('.'));
    path.remove_prefix(std::min(path.size(), name.size() + 1));
    if (mcp::json::type_of(json) == mcp::json::Type::array) {
      mcp::json::Elements elements{json};
      auto element = elements.next();
      for (auto i = std::stoul(std::string{name}); i > 0 && element; --i) element = elements.next();
      if (!element) return {};
      json = *element;
    } else {
      const auto value = mcp::json::find(json, name);
      if (!value) return {};
      json = *value;
    }
  }
  return mcp::json::text_of(json).value_or(std::string{json});
}

/// One request to a backend, and what has come of its answer.
class TestRequest final : private http::ResponseEvents {
 public:
  TestRequest(const services::Backend& backend, std::optional<PublicKey> caller, std::string method, std::string target,
              http::Headers headers, std::string request_body)
      : method_{std::move(method)},
        target_{std::move(target)},
        headers_{std::move(headers)},
        request_body_{std::move(request_body)} {
    waiting_ = backend.upstream->acquire({.key = caller}, false, [this](Result<std::unique_ptr<http::Lease>> lease) {
      REQUIRE(lease.ok());
      lease_ = std::move(*lease);
      headers_.set("Host", "localhost");
      REQUIRE(lease_->connection()
                  .send({.method = method_, .target = target_, .headers = headers_},
                        Buffer::copy_of(as_bytes(request_body_)), *this)
                  .ok());
    });
  }
  void vanish() { lease_.reset(); }
  /// The data of the events so far.
  [[nodiscard]] std::vector<std::string> events() const {
    std::vector<std::string> out;
    for (std::size_t at = 0; (at = body.find("data: ", at)) != std::string::npos;) {
      const auto end = body.find('\n', at);
      out.push_back(body.substr(at + 6, end - at - 6));
      at = end;
    }
    return out;
  }

  http::ResponseHead head;
  std::string body;
  bool complete = false;
  bool failed = false;

 private:
  void on_response(const http::ResponseHead& response) override { head = response; }
  void on_body(Buffer piece) override { body += as_text(piece); }
  void on_complete() override { complete = true; }
  void on_failed(const Error& /*error*/, http::Delivery /*delivery*/) override { failed = true; }

  std::string method_;
  std::string target_;
  http::Headers headers_;
  std::string request_body_;
  std::unique_ptr<http::Upstream::Waiting> waiting_;
  std::unique_ptr<http::Lease> lease_;
};

class McpRig {
 public:
  void add(const std::string& name, ServiceHandler handler, ServiceAccess access = {}) {
    services::Service service;
    service.info.name = name;
    service.info.kind = ServiceInfo::Kind::handler;
    service.access = std::move(access);
    service.backend = services::make_handler_backend(name, std::move(handler), {}, budget, loop);
    REQUIRE(table.add(std::move(service)).ok());
  }

  McpLoop loop;
  services::CallerBudget budget{64UL * 1024 * 1024};
  services::ServiceTable table;
};

/// A server that wants sessions, and answers `tools/call` with the id and session that it saw.
struct StatefulServer {
  void operator()(ServiceRequest request, ServiceReply reply) {
    const std::string body{as_text(request.body)};
    const auto method = json_at(body, "method");
    const auto session = std::string{request.header("Mcp-Session-Id").value_or("")};
    seen.push_back(request.method == "DELETE" ? "DELETE " + session : method);
    if (method == "initialize") {
      open = "session-" + std::to_string(++opened);
      reply.respond(200, {{"Content-Type", "application/json"}, {"Mcp-Session-Id", open}},
                    to_bytes(R"({"jsonrpc":"2.0","id":)" + json_at(body, "id") +
                             R"(,"result":{"protocolVersion":"2025-06-18"}})"));
    } else if (session.empty()) {
      reply.respond(400, {}, to_bytes("Missing session ID"));
    } else if (session != open) {
      reply.respond(404, {}, to_bytes("Session not found"));
    } else if (method.starts_with("notifications/") || request.method == "DELETE") {
      last_notification = body;
      reply.respond(202, {}, {});
    } else {
      version = std::string{request.header("MCP-Protocol-Version").value_or("")};
      held.emplace_back(json_at(body, "id"), std::move(reply));
      if (!hold) answer_all();
    }
  }
  void answer_all() {
    for (auto& [id, reply] : held) {
      reply.respond_json(R"({"jsonrpc":"2.0","id":)" + id + R"(,"result":{"seen":)" + id + R"(,"session":")" + open +
                         R"("}})");
    }
    held.clear();
  }

  std::vector<std::string> seen;
  std::string open;
  std::string version;
  std::string last_notification;
  std::vector<std::pair<std::string, ServiceReply>> held;
  int opened = 0;
  bool hold = false;
};

}  // namespace axl::test
