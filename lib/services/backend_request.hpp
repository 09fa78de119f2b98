// What a backend gets to see of a peer's request.
//
// The caller is who the end-to-end session proved, never who a header claims. What belongs to the way here (hop-by-hop,
// forwarding, browser and token headers) stays behind, also when it is written with `_` for `-`: a backend that makes
// variables of names could not tell them apart.
//
// Source: bridge, section 8.3, rows 2 to 5.
#pragma once

#include <axl/key.hpp>
#include <string>
#include <string_view>

#include "crypto/key_text.hpp"
#include "http/headers.hpp"
#include "services/service_table.hpp"

namespace axl::services {

/// Never passed on from a request; in any case, `_` for `-`.
[[nodiscard]] bool stays_behind(std::string_view name);

/// The endpoint's path and query, and behind them the request's own.
[[nodiscard]] std::string backend_target(const Backend& backend, std::string_view suffix, std::string_view query);

/// What X-From-Peer-Id says of a caller to that backend.
[[nodiscard]] std::string shown_id(const PublicKey& caller, const Backend& backend);

/// Of the last caller, to be kept by who makes many requests.
struct CallerText {
  KeyText ids;
  AddressText addresses;
};

/// `service` empty: no X-Service.
[[nodiscard]] http::Headers backend_headers(const http::Headers& incoming, const Backend& backend, const PublicKey& caller,
                                            std::string_view service, CallerText& texts);

/// The same for a request that this node makes up itself.
void add_identity(http::Headers& headers, const Backend& backend, const PublicKey& caller, std::string_view service,
                  CallerText& texts);

}  // namespace axl::services
