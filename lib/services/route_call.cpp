#include "services/route_call.hpp"

#include <axl/mcp.hpp>
#include <utility>

#include "mcp/json.hpp"
#include "services/backend_request.hpp"

namespace axl::services {

RouteCall::RouteCall(Scheduler& scheduler, const PublicKey& caller, Backend router, std::string service,
                     std::string_view request)
    : scheduler_{scheduler},
      caller_{caller},
      router_{std::move(router)},
      service_{std::move(service)},
      body_{"{\"service\":" + mcp::json::quote(service_) + ",\"request\":" + std::string{request} +
            ",\"from_peer_id\":\"" + shown_id(caller_, router_) + "\"}"} {}

std::string RouteCall::timed_out() { return fail("failed to contact router: no answer in time"); }

std::string RouteCall::fail(std::string why) {
  failure_ = std::move(why);
  return mcp::encode_error(service_, failure_);
}

void RouteCall::begin(Done done) {
  done_ = std::move(done);
  FetchRequest request{.method = "POST", .target = backend_target(router_, "/route", {})};
  request.headers = {{"Host", router_.host}, {"Content-Type", "application/json"}, {"Accept", "application/json"}};
  request.body = Buffer::copy_of(as_bytes(body_));
  fetch_ = std::make_unique<Fetch>(scheduler_, router_.upstream, http::Client{.key = caller_, .trusted = false},
                                   std::move(request), FetchLimits{.max_body = kMaxAnswer, .timeout = kAnswerTime},
                                   nullptr, [this](const Result<http::Response>& answer) { settle(answer); });
}

// What counts are the members, whatever the status.
void RouteCall::settle(const Result<http::Response>& answer) {
  const auto done = std::exchange(done_, {});
  if (!answer || answer->head.status >= 500) counted.failed();
  if (!answer) {
    return done(answer.error().is(Errc::timed_out)
                    ? timed_out()
                    : fail("failed to contact router: " + answer.error().text()));
  }
  const auto read = mcp::read_answer(answer->body.span());
  if (!read) {
    return done(fail("failed to parse router response: status " + std::to_string(answer->head.status) +
                     ", not a JSON object"));
  }
  if (read->error) return done(fail("router error: " + *read->error));
  done(mcp::encode_answer(service_, read->response));
}

}  // namespace axl::services
