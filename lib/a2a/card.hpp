// Rewrites an agent's card so that its URLs lead through the caller's own node.
//
// An agent behind a node writes URLs that mean something on its own machine only: relative ones, loopback, or its
// overlay address. Only the text of such URLs is replaced; every other byte of the card stays as it is.
//
// Pure. Source: bridge, section 8.3, row 14.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace axl::a2a {

/// How the caller reaches the agent.
struct CardPlace {
  std::string base;                   ///< such as `http://127.0.0.1:9002/a2a/{peer}`; a URL's path is put behind it
  std::vector<std::string> peer_ids;  ///< the peer's names: `/a2a/{id}` in front of a path is taken away
  std::string overlay_host;           ///< the peer's overlay address, without brackets; under it `/a2a` goes too
};

/// A URL of the card as its caller needs it; empty: it stays. Stays: another scheme than http and https, any host but
/// loopback, unspecified ones and the peer's overlay address. A path that climbs (`..`) is left out, and a URL that two
/// readers may understand differently (CardHost::unclear, blanks, `http:/x`) leads to the agent itself.
[[nodiscard]] std::optional<std::string> rewrite_card_url(std::string_view url, const CardPlace& place);

struct RewrittenCard {
  std::string text;
  bool is_signed = false;  ///< its signatures do not fit the new text
};

/// `url`, `supportedInterfaces[].url` and `additionalInterfaces[].url`, those of gRPC excepted, in whatever form a reader
/// may take these names (any case, `supported_interfaces`). Empty: `card` is no JSON object, or nothing in it is to be
/// replaced.
[[nodiscard]] std::optional<RewrittenCard> rewrite_card(std::string_view card, const CardPlace& place);

}  // namespace axl::a2a
