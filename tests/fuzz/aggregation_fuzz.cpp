// The bodies of aggregations, of this kind and of the old one, and an engine that hears them from everybody.

#include <span>
#include <vector>

#include "convergecast/engine.hpp"
#include "convergecast/old_form.hpp"
#include "crypto/hash.hpp"
#include "fuzz.hpp"

namespace {

using namespace axl;
using namespace axl::convergecast;
using namespace std::chrono_literals;
using test::expect;
using Kind = Operation::Kind;

PublicKey key(unsigned number) {
  std::array<std::byte, 32> bytes{};
  bytes[0] = static_cast<std::byte>(number);
  return PublicKey{bytes};
}

void check_groups(ByteSpan view, const Marks& marks) {
  for (const auto& operation : {Operation{Kind::count, 0, {}}, Operation{Kind::sum, 0, {}}, Operation{Kind::min, 0, {}},
                                Operation{Kind::top, 5, {}}, Operation{Kind::custom, 0, "m"}}) {
    const auto groups = read_groups(view, operation, marks);
    if (!groups) continue;
    const auto again = read_groups(encode_groups(*groups, operation), operation, marks);
    expect(again && *again == *groups, "groups come back");
    auto merged = *groups;
    bool truncated = false;
    const Merge first = [](ByteSpan a, ByteSpan) { return std::optional{to_bytes(a)}; };
    if (merge_into(merged, *groups, operation, &first, truncated)) {
      expect(merged.size() == groups->size(), "the same groups");
      (void)aggregates(merged, operation);
    }
  }
}

void check_codec(ByteSpan body) {
  if (const auto old = read_old_part(body)) {
    const auto again = read_old_part(encode(*old));
    expect(again && again->data == old->data && again->session == old->session, "an old part comes back");
  }
  const auto message = read_body(body);
  if (!message) return;
  if (const auto* ask = std::get_if<Ask>(&*message)) expect(encode(*ask) == to_bytes(body), "an ask has one form");
  if (const auto* request = std::get_if<Request>(&*message)) {
    expect(encode(*request) == to_bytes(body), "a request has one form");
  }
  if (const auto* part = std::get_if<PartView>(&*message)) {
    const auto again = read_body(encode_part(part->nonce, part->marks, part->groups));
    expect(again && std::get_if<PartView>(&*again)->marks == part->marks, "a part comes back");
    check_groups(part->groups, part->marks);
  }
}

// A node with a parent and a child, from which the body comes in each role.
void check_engine(ByteSpan body) {
  crypto::SeededRng rng{1};
  Time now{};
  Engine engine{Config{}, key(100), rng, now};
  const std::vector children{key(110)};
  engine.on_tree(key(1), children, now);
  now += 1h;
  const Nonce nonce{};
  const Question question{"load", {Kind::sum, 0, {}}, 4s, true};
  (void)engine.on_message(key(1), encode(Request{nonce, 4s, 3s, question}), now);
  (void)engine.on_message(key(110), body, now);
  (void)engine.on_message(key(1), body, now);
  (void)engine.on_message(key(50), body, now);
  (void)engine.contribute(nonce, {{"", Number{1}}});
  for (int i = 0; i < 1000; ++i) {
    while (const auto output = engine.poll_output()) {
      const auto* sent = std::get_if<Send>(&*output);
      expect(sent == nullptr || read_body(sent->body).ok(), "what is said can be read");
      if (const auto* wanted = std::get_if<Wanted>(&*output)) (void)engine.contribute(wanted->session, {});
    }
    const auto next = engine.next_tick();
    if (!next) break;
    expect(*next > now || i == 0, "time goes on");
    now = std::max(now, *next);
    engine.on_tick(now);
  }
  const auto stats = engine.stats();
  expect(stats.sessions + stats.asks + stats.running + stats.held_bytes == 0, "nothing is left after a while");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto body = std::as_bytes(std::span{data, size});
  check_codec(body);
  check_engine(body);
  return 0;
}
