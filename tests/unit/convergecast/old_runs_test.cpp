#include "convergecast/old_runs.hpp"

#include <catch2/catch_test_macros.hpp>

#include "msgpack/writer.hpp"

using namespace axl;
using namespace axl::convergecast;
using namespace std::chrono_literals;

namespace {

PublicKey key(unsigned number) {
  std::array<std::byte, 32> bytes{};
  bytes[31] = static_cast<std::byte>(number);
  return PublicKey{bytes};
}

const PublicKey kOwn = key(100);
const PublicKey kParent = key(1);
const PublicKey kLeft = key(110);
const PublicKey kRight = key(120);

// As the old program writes it.
Bytes old_part(const PublicKey& from, const std::string& name, std::int64_t value, const char* session = "default") {
  msgpack::Writer out;
  out.map(4).text("type").text("convergecast_data").text("session_id").text(session);
  out.text("from").text(from.to_hex()).text("data").map(1).text(name).integer(value);
  return std::move(out).take();
}

struct Runs : OldRuns {
  Runs() : OldRuns{kOwn, Time{}} {}
  template <class T>
  T next() {
    auto output = poll_output();
    REQUIRE(output);
    REQUIRE(std::get_if<T>(&*output) != nullptr);
    return std::get<T>(std::move(*output));
  }
};

}  // namespace

TEST_CASE("old aggregation: the message is the one that old programs know", "[convergecast]") {
  const auto bytes = encode(OldPart{"default", kLeft, {{"6e000000", Number{1}}}});
  CHECK(bytes == old_part(kLeft, "6e000000", 1));
  const auto part = read_old_part(bytes);
  REQUIRE(part);
  CHECK(part->session == "default");
  CHECK(part->from == kLeft);
  CHECK(part->data == std::vector<std::pair<std::string, Number>>{{"6e000000", Number{1}}});
  // Members in another order, and some more of them.
  msgpack::Writer out;
  out.map(5).text("data").map(2).text("b").real(0.5).text("a").unsigned_integer(UINT64_MAX);
  out.text("extra").array(2).nil().map(0).text("from").text(kLeft.to_hex());
  out.text("session_id").text("s").text("type").text("convergecast_data");
  const auto other = read_old_part(std::move(out).take());
  REQUIRE(other);
  CHECK(other->data.at(0).first == "a");
  CHECK(other->data.at(0).second == Number::from_double(18'446'744'073'709'551'616.0).value());
}

TEST_CASE("old aggregation: everything else is left alone", "[convergecast]") {
  CHECK_FALSE(read_old_part({}));
  CHECK_FALSE(read_old_part(from_hex("05").value()));  // a bare number, which stopped the old program
  CHECK_FALSE(read_old_part(as_bytes("{\"type\":\"convergecast_data\"}")));
  const auto whole = old_part(kLeft, "a", 1);
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK_FALSE(read_old_part(ByteSpan{whole}.first(size)));
  CHECK_FALSE(read_old_part(old_part(kLeft, "\n", 1)));
  CHECK_FALSE(read_old_part(old_part(kLeft, "a", 1, "")));
  msgpack::Writer text;
  text.map(4).text("type").text("convergecast_data").text("session_id").text("default");
  text.text("from").text(kLeft.to_hex()).text("data").map(1).text("a").text("one");
  CHECK_FALSE(read_old_part(std::move(text).take()));
}

TEST_CASE("old aggregation: parts of children are added up and sent to the parent", "[convergecast]") {
  Runs runs;
  const Time now{};
  runs.on_tree(kParent, std::vector{kLeft, kRight}, now);
  CHECK(runs.on_message(kLeft, old_part(kLeft, "l", 1), now));  // it was faster than we are
  CHECK(runs.early_parts() == 1);
  REQUIRE(runs.start("default", {{"own", Number{1}}, {"l", Number{10}}}, 30s, now));
  CHECK(runs.early_parts() == 0);
  CHECK_FALSE(runs.start("default", {}, 30s, now));
  CHECK_FALSE(runs.on_message(kRight, old_part(kLeft, "r", 1), now));   // under another's name
  CHECK_FALSE(runs.on_message(key(9), old_part(key(9), "x", 1), now));  // nobody's child
  CHECK(runs.on_message(kLeft, old_part(kLeft, "l", 1), now));          // again
  CHECK_FALSE(runs.poll_output());
  CHECK(runs.on_message(kRight, old_part(kRight, "r", 5), now));
  const auto sent = runs.next<OldSend>();
  CHECK(sent.to == kParent);
  const auto part = read_old_part(sent.body).value();
  CHECK(part.from == kOwn);
  const std::vector<std::pair<std::string, Number>> sums{{"l", Number{11}}, {"own", Number{1}}, {"r", Number{5}}};
  CHECK(part.data == sums);
  const auto finished = runs.next<OldFinished>();
  CHECK_FALSE(finished.is_root);
  CHECK(finished.received_from == std::vector{kLeft, kRight});
  CHECK(finished.missing.empty());
  CHECK_FALSE(runs.next_tick());
}

TEST_CASE("old aggregation: the root waits for no parent, and names who is missing", "[convergecast]") {
  Runs runs;
  const Time now{};
  REQUIRE(runs.start("alone", {{"own", Number{1}}}, 30s, now));
  CHECK(runs.next<OldFinished>().is_root);
  runs.on_tree(kOwn, std::vector{kLeft, kRight}, now);
  REQUIRE(runs.start("default", {{"own", Number{1}}}, 30s, now));
  CHECK(runs.on_message(kRight, old_part(kRight, "r", 5), now));
  CHECK_FALSE(runs.poll_output());
  CHECK(runs.next_tick() == now + 30s);
  runs.on_tick(now + 30s);
  const auto finished = runs.next<OldFinished>();
  CHECK(finished.is_root);
  CHECK(finished.missing == std::vector{kLeft});
  CHECK(finished.data.size() == 2);
  CHECK_FALSE(runs.poll_output());
}

TEST_CASE("old aggregation: early parts are few, the newest of each child, and not kept for long", "[convergecast]") {
  Runs runs;
  Time now{};
  runs.on_tree(kParent, std::vector{kLeft, kRight}, now);
  for (int i = 0; i < 1000; ++i) {
    const auto session = "s" + std::to_string(i);
    CHECK(runs.on_message(kLeft, old_part(kLeft, "l", i, session.c_str()), now));
    CHECK(runs.on_message(kLeft, old_part(kLeft, "l", i, session.c_str()), now));
  }
  CHECK(runs.early_parts() == OldRuns::kMaxEarly);
  runs.on_tick(now + OldRuns::kKeepEarly);
  CHECK(runs.early_parts() == 0);
  CHECK_FALSE(runs.next_tick());
  for (std::size_t i = 0; i < OldRuns::kMaxRuns; ++i) REQUIRE(runs.start("s" + std::to_string(i), {}, 30s, now));
  CHECK_FALSE(runs.start("more", {}, 30s, now));
}
