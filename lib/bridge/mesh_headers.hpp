// Which headers pass between a local client and a peer.
//
// What a peer answers appears on our own origin, beside `/send` and `/recv`, so it is taken for hostile: nothing in it
// may run, set state in a browser, or speak for this node, and no redirect may lead back into the local API.
//
// Source: bridge, section 8.3, rows 3, 4, 6 and 7, and the rules below the table.
#pragma once

#include <string>
#include <string_view>

#include "a2a/card.hpp"
#include "http/headers.hpp"

namespace axl::bridge {

/// A local client's headers as they are sent on, without Host.
[[nodiscard]] http::Headers headers_for_peer(const http::Headers& incoming);

/// Makes a peer's answer harmless. Hop-by-hop headers are gone already.
void tame_answer(http::Headers& headers);

/// A redirect that means the far machine is led through this node when `place` says how, else its Location goes. A
/// public address stays.
void tame_location(http::Headers& headers, const a2a::CardPlace& place, bool can_lead);

/// A card's entity tags: what we show is not what the peer has, and differs by the name that the client uses for us.
/// `variant`: what it depends on.
class CardTags {
 public:
  explicit CardTags(std::string_view variant);
  /// ETag of an answer: weak, and ours.
  void mark(http::Headers& headers) const;
  /// If-None-Match of a request: ours become the peer's again, others go.
  void unmark(http::Headers& headers) const;

 private:
  std::string suffix_;  // of an opaque tag, before its closing quote
};

}  // namespace axl::bridge
