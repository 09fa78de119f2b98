// Who may use an HTTP server of this machine: the rule of the local API and of every other local port.
//
// A browser on this host speaks with this host's rights, not with its user's will. It gives itself away by Origin,
// Sec-Fetch-* or the name it used, so pages are refused unless the owner listed their origin, our own included, and so
// are foreign names (DNS rebinding). Where a token is set, every request must carry it in X-Axl-Token; the time that
// takes says nothing about a wrong one.
//
// Source: bridge, sections 8.3 and 9 (row 9).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/exchange.hpp"

namespace axl::http {

/// The host of a `Host` value: lower case, without port, brackets and a dot at the end.
[[nodiscard]] std::string host_name(std::string_view host);

/// An IPv4 or IPv6 address in its usual text, without brackets.
[[nodiscard]] bool is_ip_literal(std::string_view host) noexcept;

/// Takes about as long for a wrong text as for the right one of the same length.
[[nodiscard]] bool equal_secrets(std::string_view given, std::string_view secret) noexcept;

struct Refusal {
  int status = 403;
  std::string_view text;
};

class LocalAccess {
 public:
  static constexpr std::string_view kTokenHeader = "X-Axl-Token";

  struct Config {
    std::vector<std::string> hosts;    ///< `Host` values besides loopback's, without port
    std::vector<std::string> origins;  ///< `Origin` values of pages that may call
    std::string token;                 ///< empty: none is asked for
  };

  explicit LocalAccess(Config config) : config_{std::move(config)} {}

  /// An address that a server with this rule is bound to is a name for it. A wildcard address makes any literal
  /// address one: only names can be rebound.
  void add_bound_address(std::string_view address);
  [[nodiscard]] bool has_token() const noexcept { return !config_.token.empty(); }

  /// Why this request is refused; empty: it is not.
  [[nodiscard]] std::optional<Refusal> refuse(const RequestHead& request) const;

  /// To be asked before anything else. False: the request was answered here, as a refusal or as a listed page's
  /// preflight. True: go on; what a listed page needs to read the answer is added to it.
  [[nodiscard]] bool admit(Exchange& exchange) const;

 private:
  [[nodiscard]] std::optional<Refusal> refuse_origin(const RequestHead& request) const;
  [[nodiscard]] std::optional<Refusal> refuse_token(const RequestHead& request) const;
  [[nodiscard]] bool lists_origin(const RequestHead& request) const;
  [[nodiscard]] bool knows_host(std::string_view text) const;

  Config config_;
  bool any_literal_ = false;
  mutable std::string known_host_;  // the last `Host` that was one of ours, as written: names are added, none go
};

}  // namespace axl::http
