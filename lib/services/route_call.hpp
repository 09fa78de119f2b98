// Answers one MCP envelope through an external router, as nodes of the older kind do.
//
// Source: bridge, sections 4 and 5 (`POST /route`).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "services/envelope_call.hpp"
#include "services/fetch.hpp"

namespace axl::services {

class RouteCall final : public EnvelopeCall {
 public:
  /// `router`: the server; requests go to `/route` below its path. `request`: one JSON value.
  RouteCall(Scheduler& scheduler, const PublicKey& caller, Backend router, std::string service,
            std::string_view request);

  void begin(Done done) override;
  [[nodiscard]] std::string timed_out() override;
  [[nodiscard]] std::string_view kind() const noexcept override { return "mcp"; }

 private:
  /// The answer that says so.
  [[nodiscard]] std::string fail(std::string why);
  void settle(const Result<http::Response>& answer);

  Scheduler& scheduler_;
  const PublicKey caller_;
  const Backend router_;
  const std::string service_;
  const std::string body_;
  Done done_;
  std::unique_ptr<Fetch> fetch_;
};

}  // namespace axl::services
