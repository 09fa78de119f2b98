#include "convergecast/codec.hpp"

#include <catch2/catch_test_macros.hpp>
#include <limits>

#include "family.hpp"

using namespace axl;
using namespace axl::convergecast;
using namespace axl::test;
using namespace std::chrono_literals;
using Kind = Operation::Kind;

namespace {

Nonce nonce(unsigned number) {
  Nonce value{};
  value[5] = static_cast<std::byte>(number);
  return value;
}

template <class T>
T read(ByteSpan body) {
  const auto message = read_body(body);
  REQUIRE(message);
  const auto* typed = std::get_if<T>(&*message);
  REQUIRE(typed != nullptr);
  return *typed;
}

Marks some_marks() {
  Marks marks;
  marks.contributed = 300;
  marks.abstained = 2;
  marks.add_missing(key(9));
  marks.add_missing(key(3));
  marks.settling = true;
  return marks;
}

}  // namespace

TEST_CASE("aggregation codec: questions and requests come back", "[convergecast]") {
  for (const auto& operation :
       {Operation{Kind::sum, 0, {}}, Operation{Kind::top, 64, {}}, Operation{Kind::custom, 0, "union"}}) {
    const Question question{"load of the mesh", operation, 1500ms, true};
    const auto ask = read<Ask>(encode(Ask{nonce(1), question}));
    CHECK(ask.token == nonce(1));
    CHECK(ask.question.name == question.name);
    CHECK(ask.question.operation == operation);
    CHECK(ask.question.time == 1500ms);
    CHECK(ask.question.tell_all);
    const auto request = read<Request>(encode(Request{nonce(2), 1500ms, 900ms, question}));
    CHECK(request.nonce == nonce(2));
    CHECK(request.life == 1500ms);
    CHECK(request.budget == 900ms);
    CHECK(request.question.operation == operation);
    CHECK(request.question.time == request.life);
  }
  CHECK(read<Decline>(encode(Decline{nonce(3), Reason::too_new})).reason == Reason::too_new);
  CHECK(to_hex(encode(Ask{nonce(1), {"a", {Kind::sum, 0, {}}, 1s, false}})) ==
        "01010000000000010000000000000000" "0000" "000003e8" "00" "0161" "02");
}

TEST_CASE("aggregation codec: parts, answers and results come back with their groups", "[convergecast]") {
  const std::vector<Contribution> numbers{
      {"", Number{-7}}, {"b", Number::from_double(0.1).value()}, {"c", Number{INT64_MAX}}};
  for (const auto kind : {Kind::count, Kind::sum, Kind::min, Kind::max, Kind::mean, Kind::top}) {
    const Operation operation{kind, static_cast<std::uint16_t>(kind == Kind::top ? 3 : 0), {}};
    const auto groups = groups_of(key(1), operation, numbers).value();
    const auto encoded = encode_groups(groups, operation);
    const auto marks = some_marks();
    const auto body = encode_part(nonce(4), marks, encoded);
    const auto part = read<PartView>(body);
    CHECK(part.nonce == nonce(4));
    CHECK(part.marks == marks);
    CHECK(read_groups(part.groups, operation, part.marks).value() == groups);
    const auto told = encode_result(nonce(5), marks, encoded);
    CHECK(read<ResultView>(told).marks == marks);
    const auto given = encode_answer(nonce(6), marks, encoded);
    const auto answer = read<AnswerView>(given);
    CHECK(answer.status == Status::outcome);
    CHECK(read_groups(answer.groups, operation, answer.marks).value() == groups);
    for (std::size_t size = 0; size < encoded.size(); ++size) {
      CHECK_FALSE(read_groups(ByteSpan{encoded}.first(size), operation, marks));
    }
  }
  CHECK(read<AnswerView>(encode_refusal(nonce(7), Status::busy)).status == Status::busy);
  const Operation custom{Kind::custom, 0, "union"};
  const auto groups = groups_of(key(1), custom, {{"x", to_bytes("abc")}, {"y", Bytes{}}}).value();
  CHECK(read_groups(encode_groups(groups, custom), custom, some_marks()).value() == groups);
}

TEST_CASE("aggregation codec: marks keep the lowest missing keys and count them all", "[convergecast]") {
  Marks marks;
  for (unsigned number = 200; number > 0; --number) marks.add_missing(key(number));
  CHECK(marks.missing == 200);
  REQUIRE(marks.missing_keys.size() == kMaxMissingKeys);
  CHECK(marks.missing_keys.front() == key(1));
  CHECK(marks.missing_keys.back() == key(kMaxMissingKeys));
  const Operation count{Kind::count, 0, {}};
  const auto body = encode_part(nonce(1), marks, encode_groups({}, count));
  CHECK(body.size() <= kMaxMarks);
  CHECK(read<PartView>(body).marks == marks);
}

TEST_CASE("aggregation codec: what no rule allows is malformed", "[convergecast]") {
  const Operation sum{Kind::sum, 0, {}};
  const auto whole = encode(Request{nonce(2), 2s, 1s, {"load", sum, 2s, false}});
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK_FALSE(read_body(ByteSpan{whole}.first(size)));
  auto longer = whole;
  longer.push_back(std::byte{0});
  CHECK_FALSE(read_body(longer));
  CHECK_FALSE(read_body(encode(Request{nonce(2), 1s, 2s, {"load", sum, 1s, false}})));  // more than there is
  auto version = whole;
  version[0] = std::byte{2};
  CHECK_FALSE(read_body(version));
  auto type = whole;
  type[1] = std::byte{7};
  CHECK_FALSE(read_body(type));
  CHECK_FALSE(read_body(from_hex("0104" + std::string(32, '0') + "06").value()));  // no such reason
  CHECK_FALSE(read_body(Bytes(kMaxBody + 1, std::byte{1})));

  Marks one;
  one.contributed = 1;
  const auto refused = [&](std::string_view groups, const Operation& operation) {
    return !read_groups(from_hex(groups).value(), operation, one);
  };
  CHECK_FALSE(refused("0100" "01" "00" "22" "01" "00000005", sum));  // 5
  CHECK(refused("0100" "02" "00" "22" "01" "00000005", sum));         // of more nodes than there are
  CHECK(refused("0100" "00" "00" "22" "01" "00000005", sum));         // of none
  CHECK(refused("0100" "01" "02" "22" "01" "00000005", sum));         // no such flag
  CHECK(refused("0100" "01" "01" "00" "00", sum));                    // negative zero
  CHECK(refused("0100" "01" "00" "42" "02" "0000000100000001", sum));  // too large
  CHECK(refused("02" "016201002201" "00000005" "016101002201" "00000005", sum));  // not in order
  CHECK(refused("02" "016101002201" "00000005" "016101002201" "00000005", sum));  // twice
  CHECK(refused("01" "010a01002201" "00000005", sum));                            // a name that may not be shown
  const Operation min{Kind::min, 0, {}};
  CHECK_FALSE(refused("0100" "01" "00" "0000000000000005", min));
  CHECK(refused("0100" "01" "01" "7ff0000000000000", min));  // infinite
  CHECK(refused("0100" "01" "01" "7ff8000000000000", min));  // no number
  CHECK(refused("0100" "01" "01" "4014000000000000", min));  // 5, which is a whole number
  CHECK(refused("0100" "01" "02" "0000000000000005", min));
  CHECK(refused("ffffffffffffffffff01", min));
  CHECK(refused("8102", min));  // 257 groups
}
