// The rewriting of agents' cards: a card stays JSON.

#include <span>

#include <axl/bytes.hpp>

#include "a2a/card.hpp"
#include "fuzz.hpp"
#include "mcp/json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace axl;
  const auto card = as_text(std::as_bytes(std::span{data, size}));
  const a2a::CardPlace place{.base = "http://127.0.0.1:9002/a2a/aa", .peer_ids = {"aa"}, .overlay_host = "200::1"};
  const auto rewritten = a2a::rewrite_card(card, place);
  if (rewritten) test::expect(mcp::json::is_valid(rewritten->text), "a rewritten card is JSON");
  const auto url = a2a::rewrite_card_url(card, place);
  test::expect(!url || url->starts_with(place.base), "a rewritten URL leads to the agent");
  return 0;
}
