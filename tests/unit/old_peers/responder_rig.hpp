// A responder over services that are handlers in the test.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../bridge/test_mesh.hpp"
#include "services/caller_budget.hpp"
#include "services/envelope_responder.hpp"
#include "services/handler_server.hpp"

namespace axl::test {

using namespace std::chrono_literals;

class LoopScheduler final : public Scheduler {
 public:
  explicit LoopScheduler(TestLoop& loop) : loop_{loop} {}
  [[nodiscard]] Time now() const override { return loop_.now(); }
  [[nodiscard]] std::unique_ptr<Timer> make_timer(std::function<void()> fire) override {
    return loop_.make_timer(std::move(fire));
  }
  [[nodiscard]] Executor& executor() override { return loop_.executor(); }
  [[nodiscard]] Rng& rng() override { return rng_; }

 private:
  TestLoop& loop_;
  crypto::SeededRng rng_{1};
};

/// What came back for one envelope.
struct EnvelopeAnswer {
  std::unique_ptr<services::EnvelopeResponder::Call> call;
  std::optional<std::string> text;
};

class ResponderRig {
 public:
  services::Backend backend(ServiceHandler handler) {
    return services::make_handler_backend("test", std::move(handler), {}, budget, scheduler);
  }
  void add(std::string name, ServiceHandler handler, ServiceAccess access = {}) {
    services::Service service;
    service.info.name = std::move(name);
    service.access = std::move(access);
    service.backend = backend(std::move(handler));
    REQUIRE(table.add(std::move(service)));
  }
  [[nodiscard]] bool healthy(std::string_view name) const { return table.find(name)->info.healthy; }

  /// Null when the frame is a plain message.
  std::shared_ptr<EnvelopeAnswer> begin(std::string_view frame) {
    auto answer = std::make_shared<EnvelopeAnswer>();
    answer->call = responder->answer(caller, as_bytes(frame), [answer = answer.get()](Bytes text) {
      REQUIRE_FALSE(answer->text);
      answer->text = as_text(text);
    });
    return answer->call ? answer : nullptr;
  }
  std::string ask(std::string_view frame) {
    const auto answer = begin(frame);
    if (!answer) return "(plain)";
    loop.run_until([&] { return answer->text.has_value(); });
    return answer->text.value_or("(none)");
  }

  TestLoop loop;
  LoopScheduler scheduler{loop};
  PublicKey caller = key_of(7);
  services::CallerBudget budget{1UL << 30U};
  services::ServiceTable table;
  std::optional<services::Backend> agent;
  std::vector<std::string> log;
  std::unique_ptr<services::EnvelopeResponder> responder = std::make_unique<services::EnvelopeResponder>(
      table, [this] { return agent; }, scheduler,
      Logger{[this](LogLevel level, std::string_view area, std::string_view text) { note(level, area, text); },
             LogLevel::info});

 private:
  void note(LogLevel level, std::string_view area, std::string_view text) {
    CHECK(level == LogLevel::warning);
    CHECK(area == "services");
    log.emplace_back(text);
  }
};

/// Requests that a handler has seen, as text: method, path, the headers of interest, body.
inline std::string seen(const ServiceRequest& request, std::initializer_list<std::string_view> names) {
  std::string out = request.method + request.path;
  for (const auto name : names) {
    if (const auto value = request.header(name)) out += " " + std::string{name} + "=" + std::string{*value};
  }
  return out + " " + std::string{as_text(request.body)};
}

}  // namespace axl::test
