#include "services/mcp_envelope_call.hpp"

#include <axl/mcp.hpp>
#include <utility>

#include "mcp/json.hpp"

namespace axl::services {

McpEnvelopeCall::McpEnvelopeCall(McpCaller& caller, ServiceTable& services, McpCaller::Message message)
    : caller_{caller}, services_{services}, service_{message.service->info.name}, message_{std::move(message)} {}

std::string McpEnvelopeCall::timed_out() { return fail("router error: Service timeout"); }

std::string McpEnvelopeCall::fail(std::string why) {
  failure_ = std::move(why);
  return mcp::encode_error(service_, failure_);
}

void McpEnvelopeCall::begin(Done done) {
  done_ = std::move(done);
  call_ = caller_.call(std::move(message_), [this](const Result<Bytes>& answer) { settle(answer); });
}

void McpEnvelopeCall::settle(const Result<Bytes>& answer) {
  const auto done = std::exchange(done_, {});
  services_.set_healthy(service_, answer.ok());
  if (!answer) counted.failed();
  if (answer) {
    const auto body = mcp::json::trim(as_text(*answer));
    return done(mcp::encode_answer(service_, body.empty() ? std::string_view{"null"} : body));
  }
  if (answer.error().is(Errc::timed_out)) return done(timed_out());
  if (answer.error().is(Errc::refused) && answer.error().text().starts_with("Service error: ")) {
    return done(fail("router error: " + answer.error().text()));
  }
  done(fail("router error: Forward error: " + answer.error().text()));
}

}  // namespace axl::services
