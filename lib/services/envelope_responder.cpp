#include "services/envelope_responder.hpp"

#include <set>
#include <utility>

#include "a2a/envelope.hpp"
#include "core/printable.hpp"
#include "mcp/envelope.hpp"
#include "mcp/json.hpp"
#include "services/agent_call.hpp"
#include "services/envelope_call.hpp"
#include "services/mcp_caller.hpp"
#include "services/mcp_envelope_call.hpp"
#include "services/route_call.hpp"

namespace axl::services {

namespace {
constexpr std::size_t kLongestReason = 500;  // of a line in the log; part of it is the backend's
}

struct EnvelopeResponder::State {
  State(ServiceTable& table, std::function<std::optional<Backend>()> agent_now, Scheduler& loop, Logger log)
      : services{table},
        agent{std::move(agent_now)},
        scheduler{loop},
        logger{std::move(log)},
        mcp_caller{loop, limits()} {}
  static McpCaller::Limits limits() {
    McpCaller::Limits out;
    out.max_answer = EnvelopeCall::kMaxAnswer;
    return out;
  }

  /// What shall answer: a call, or an answer that is ready.
  struct Plan {
    std::unique_ptr<EnvelopeCall> call;
    std::string ready;
  };
  [[nodiscard]] std::optional<Plan> plan(const PublicKey& caller, ByteSpan frame);
  [[nodiscard]] Plan plan_mcp(const PublicKey& caller, mcp::RequestEnvelope envelope);

  ServiceTable& services;
  std::function<std::optional<Backend>()> agent;
  std::function<bool(const PublicKey& caller)> agent_allows;
  Scheduler& scheduler;
  const Logger logger;
  std::optional<Backend> router;
  ServiceAccess router_access;
  std::shared_ptr<ServiceUse> agent_use = std::make_shared<ServiceUse>();
  std::shared_ptr<ServiceUse> router_use = std::make_shared<ServiceUse>();
  McpCaller mcp_caller;
  std::set<Answering*> answering;
};

class EnvelopeResponder::Answering final : public EnvelopeResponder::Call {
 public:
  Answering(std::shared_ptr<State> state, const PublicKey& caller, State::Plan plan, AnswerHandler handler)
      : state_{std::move(state)},
        caller_{caller},
        call_{std::move(plan.call)},
        handler_{std::move(handler)},
        timer_{state_->scheduler.make_timer([this] {
          call_->counted.failed();
          finish(call_->timed_out());
        })} {
    auto& scheduler = state_->scheduler;
    if (call_) timer_->arm(scheduler.now() + EnvelopeCall::kAnswerTime);
    scheduler.executor().post([this, alive = std::weak_ptr{alive_}, ready = std::move(plan.ready)]() mutable {
      if (alive.expired() || !handler_) return;
      if (!call_) return finish(std::move(ready));
      call_->begin([this](std::string envelope) { finish(std::move(envelope)); });
    });
    state_->answering.insert(this);
  }
  ~Answering() override { state_->answering.erase(this); }

  void cut() {
    handler_ = {};
    timer_->cancel();
    call_.reset();
  }

 private:
  void finish(std::string envelope) {
    const auto handler = std::exchange(handler_, {});
    const auto call = std::move(call_);  // we may be inside it
    timer_->cancel();
    if (call && !call->failure().empty()) {
      state_->logger(LogLevel::warning, "services", "Stream {} forward error: {} (for peer {}...)", call->kind(),
                     clipped(call->failure(), kLongestReason), caller_.to_hex().substr(0, 16));
    }
    if (handler) handler(to_bytes(envelope));
  }

  std::shared_ptr<State> state_;
  const PublicKey caller_;
  std::unique_ptr<EnvelopeCall> call_;
  AnswerHandler handler_;
  std::unique_ptr<Timer> timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

std::optional<EnvelopeResponder::State::Plan> EnvelopeResponder::State::plan(const PublicKey& caller, ByteSpan frame) {
  const auto our_agent = agent ? agent() : std::nullopt;
  const auto mcp_shape = router || !services.empty() ? mcp::Shape::loose : mcp::Shape::exact;
  const auto a2a_shape = our_agent ? a2a::Shape::loose : a2a::Shape::exact;
  const auto text = as_text(frame);
  const bool any_loose = mcp_shape == mcp::Shape::loose || a2a_shape == a2a::Shape::loose;
  const auto shape = any_loose ? mcp::Shape::loose : mcp::Shape::exact;
  if (!mcp::may_be_envelope(frame, shape) || !mcp::json::is_valid(text)) return {};
  if (auto envelope = mcp::request_in(text, mcp_shape)) return plan_mcp(caller, std::move(*envelope));
  const auto envelope = a2a::request_in(text, a2a_shape);
  if (!envelope) return {};
  if (!our_agent) return Plan{{}, a2a::encode_error("A2A is not available on this node")};
  if (agent_allows && !agent_allows(caller)) return Plan{{}, a2a::encode_error("Access denied")};
  if (auto refusal = AgentCall::refusal(*envelope)) return Plan{{}, std::move(*refusal)};
  Plan planned{std::make_unique<AgentCall>(scheduler, caller, *our_agent, *envelope), {}};
  planned.call->counted = CountedCall{agent_use};
  return planned;
}

EnvelopeResponder::State::Plan EnvelopeResponder::State::plan_mcp(const PublicKey& caller,
                                                                  mcp::RequestEnvelope envelope) {
  auto service = services.find(envelope.service);
  const bool denied = service ? !ServiceTable::allows(*service, caller)
                              : router && !access_allows(router_access, caller);
  if (denied) return {{}, mcp::encode_error(envelope.service, "router error: Access denied: " + envelope.service)};
  if (!service && router) {
    Plan planned{
        std::make_unique<RouteCall>(scheduler, caller, *router, std::move(envelope.service), envelope.request), {}};
    planned.call->counted = CountedCall{router_use};
    return planned;
  }
  if (!service) {
    return {{}, mcp::encode_error(envelope.service, "router error: Service not found: " + envelope.service)};
  }
  CountedCall counted{service->use};
  McpCaller::Message message{.caller = caller, .service = std::move(service), .body = to_bytes(envelope.request)};
  Plan planned{std::make_unique<McpEnvelopeCall>(mcp_caller, services, std::move(message)), {}};
  planned.call->counted = std::move(counted);
  return planned;
}

EnvelopeResponder::EnvelopeResponder(ServiceTable& services, std::function<std::optional<Backend>()> agent,
                                     Scheduler& scheduler, Logger logger)
    : state_{std::make_shared<State>(services, std::move(agent), scheduler, std::move(logger))} {}

EnvelopeResponder::~EnvelopeResponder() {
  for (auto* answering : state_->answering) answering->cut();
}

void EnvelopeResponder::use_router(Backend router, ServiceAccess access) {
  state_->router = std::move(router);
  state_->router_access = std::move(access);
}

void EnvelopeResponder::count_in(std::shared_ptr<ServiceUse> agent, std::shared_ptr<ServiceUse> router) {
  state_->agent_use = std::move(agent);
  state_->router_use = std::move(router);
}

void EnvelopeResponder::limit_agent(std::function<bool(const PublicKey& caller)> allows) {
  state_->agent_allows = std::move(allows);
}

std::unique_ptr<EnvelopeResponder::Call> EnvelopeResponder::answer(const PublicKey& caller, ByteSpan frame,
                                                                   AnswerHandler handler) {
  auto plan = state_->plan(caller, frame);
  if (!plan) return nullptr;
  return std::make_unique<Answering>(state_, caller, std::move(*plan), std::move(handler));
}

}  // namespace axl::services
