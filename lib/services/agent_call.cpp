#include "services/agent_call.hpp"

#include <axl/mcp.hpp>
#include <utility>

#include "http/text.hpp"
#include "mcp/json.hpp"
#include "services/backend_request.hpp"

namespace axl::services {

namespace {

constexpr std::string_view kCardPath = "/.well-known/agent-card.json";
constexpr std::string_view kFailed = "failed to contact a2a server: ";
constexpr int kUnsupportedOperation = -32004;

// An event stream may never end, and nobody could use it.
bool wants_body(const http::ResponseHead& head) {
  const auto type = head.headers.get("Content-Type").value_or(std::string_view{});
  return !http::equal_ignoring_case(http::trim(type.substr(0, type.find(';'))), "text/event-stream");
}

}  // namespace

AgentCall::AgentCall(Scheduler& scheduler, const PublicKey& caller, Backend agent, const a2a::RequestEnvelope& envelope)
    : scheduler_{scheduler},
      caller_{caller},
      agent_{std::move(agent)},
      card_{envelope.agent_card},
      request_{to_bytes(envelope.request)} {}

std::string AgentCall::timed_out() { return fail("no answer in time"); }

std::string AgentCall::fail(std::string why) {
  failure_ = std::string{kFailed} + std::move(why);
  return a2a::encode_error(failure_);
}

std::optional<std::string> AgentCall::refusal(const a2a::RequestEnvelope& envelope) {
  if (envelope.agent_card) return {};
  const auto message = mcp::peek(as_bytes(envelope.request));
  if (!message || !a2a::is_streaming(message->method)) return {};
  return a2a::encode_answer(mcp::encode_rpc_error(message->id, kUnsupportedOperation,
                                                  "This operation is not supported: an envelope carries no stream"));
}

void AgentCall::begin(Done done) {
  done_ = std::move(done);
  FetchRequest request;
  request.target = backend_target(agent_, card_ ? kCardPath : std::string_view{}, {});
  CallerText texts;
  add_identity(request.headers, agent_, caller_, {}, texts);
  request.headers.set("Accept", "application/json");
  if (!card_) {
    const auto message = mcp::peek(request_);
    request.method = "POST";
    request.headers.set("Content-Type", "application/json");
    if (!message || a2a::version_of(message->method) == a2a::Version::v1_0) request.headers.set("A2A-Version", "1.0");
    request.body = Buffer::copy_of(request_);
  }
  fetch_ = std::make_unique<Fetch>(scheduler_, agent_.upstream, http::Client{.key = caller_, .trusted = false},
                                   std::move(request), FetchLimits{.max_body = kMaxAnswer, .timeout = kAnswerTime},
                                   wants_body, [this](const Result<http::Response>& answer) { settle(answer); });
}

// The status is lost on this way, as the reference loses it: what counts is that the body is JSON.
void AgentCall::settle(const Result<http::Response>& answer) {
  const auto done = std::exchange(done_, {});
  if (!answer || answer->head.status >= 500) counted.failed();
  if (!answer) {
    return done(answer.error().is(Errc::timed_out) ? timed_out() : fail(answer.error().text()));
  }
  const auto body = mcp::json::trim(as_text(answer->body.span()));
  const auto status = answer->head.status;
  const bool good = status >= 200 && status < 300;
  if (mcp::json::is_valid(body) && (good || !card_)) return done(a2a::encode_answer(body));
  const bool streamed = !wants_body(answer->head);
  if (good && !card_ && !streamed && body.empty()) return done(a2a::encode_answer("null"));
  done(fail("status " + std::to_string(status) +
            (streamed ? ", an event stream" : ", and no JSON that could be passed on")));
}

}  // namespace axl::services
