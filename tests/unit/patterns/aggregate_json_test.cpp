#include "patterns/aggregate_json.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>

using namespace axl;
using namespace std::chrono_literals;
using Kind = Operation::Kind;
using patterns::outcome_json;
using patterns::read_question;
using patterns::read_values;
using patterns::values_json;

namespace {

Number real(double value) { return Number::from_double(value).value(); }
Number number_of(const Contribution& one) { return std::get<Number>(one.value); }

// The reason for which a text is refused; empty: it is not.
std::string fault_of_question(std::string_view text) {
  const auto read = read_question("s", text);
  if (read) return {};
  CHECK(read.error().is(Errc::invalid_argument));
  return read.error().text();
}
std::string fault_of_values(std::string_view text) {
  const auto read = read_values(text);
  if (read) return {};
  CHECK(read.error().is(Errc::invalid_argument));
  return read.error().text();
}

void check_faults(std::string (*fault_of)(std::string_view), const std::vector<std::pair<std::string, std::string>>& texts) {
  for (const auto& [text, words] : texts) {
    INFO(text.substr(0, 200));
    const auto fault = fault_of(text);
    INFO(fault);
    CHECK_FALSE(fault.empty());
    CHECK(fault.find(words) != std::string::npos);
  }
}

std::string groups(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += (i == 0 ? "\"g" : ",\"g") + std::to_string(i) + "\":1";
  return "{" + text + "}";
}

Number one_number(const std::string& text) {
  const auto read = read_values("{\"value\":" + text + "}");
  REQUIRE(read);
  REQUIRE(read->values.size() == 1);
  return number_of(read->values[0]);
}

}  // namespace

TEST_CASE("aggregate json: a question has an operation, and says no more than is asked", "[patterns]") {
  const std::pair<std::string_view, Kind> operations[] = {{"count", Kind::count}, {"sum", Kind::sum}, {"min", Kind::min},
                                                          {"max", Kind::max},     {"mean", Kind::mean}};
  for (const auto& [name, kind] : operations) {
    const auto read = read_question("load", R"( {"operation" : ")" + std::string{name} + "\"}\n");
    REQUIRE(read);
    CHECK(read->question.name == "load");
    CHECK(read->question.operation == Operation{kind, 0, {}});
    CHECK(read->question.time == 10s);
    CHECK_FALSE(read->question.tell_all);
    CHECK_FALSE(read->values);
  }
  const auto full = read_question(
      "s", R"({"limit":64,"tell_all":true,"time":0.25,"value":-3,"operation":"t\u006fp","values":{"b":1.5,"\u0061":2e3}})");
  REQUIRE(full);
  CHECK(full->question.operation == Operation{Kind::top, 64, {}});
  CHECK(full->question.time == 250ms);
  CHECK(full->question.tell_all);
}

TEST_CASE("aggregate json: what this node says comes sorted by group, each once", "[patterns]") {
  const auto read = read_question("s", R"({"operation":"sum","values":{"b":1.5,"a":2e3},"value":-3})");
  REQUIRE(read);
  REQUIRE(read->values);
  REQUIRE(read->values->size() == 3);
  CHECK(read->values->at(0).group.empty());
  CHECK(number_of(read->values->at(0)) == Number{-3});
  CHECK(read->values->at(1).group == "a");
  CHECK(number_of(read->values->at(1)) == Number{2000});
  CHECK(read->values->at(2).group == "b");
  CHECK(number_of(read->values->at(2)) == real(1.5));
}

TEST_CASE("aggregate json: a question that makes no sense is refused with the reason", "[patterns]") {
  check_faults(fault_of_question,
               {{"", "no JSON object"},
                {"  ", "no JSON object"},
                {"7", "no JSON object"},
                {"[]", "no JSON object"},
                {"{\"operation\":\"sum\"} x", "no JSON object"},
                {"{\"operation\":\"sum\",}", "no JSON object"},
                {"{\"operation\":'sum'}", "no JSON object"},
                {std::string("{\"operation\":\"sum\"}\0", 20), "no JSON object"},
                {std::string(60'000, '['), "no JSON object"},
                {"{\"operation\":" + std::string(30'000, '[') + std::string(30'000, ']') + "}", ""},
                {"{}", "operation is"},
                {R"({"operation":null})", "operation is"},
                {R"({"operation":"SUM"})", "operation is"},
                {R"({"operation":"median"})", "operation is"},
                {R"({"operation":"custom","merge":"join"})", "merge"},
                {R"({"operation":"sum","tiem":1})", "tiem"},
                {R"({"operation":"sum",")" + std::string(60'000, 'x') + "\":1}", "unknown member"},
                {R"({"operation":"top"})", "1 to 64"},
                {R"({"operation":"top","limit":0})", "1 to 64"},
                {R"({"operation":"top","limit":65})", "1 to 64"},
                {R"({"operation":"top","limit":65537})", "1 to 64"},
                {R"({"operation":"top","limit":-1})", "1 to 64"},
                {R"({"operation":"top","limit":2.5})", "1 to 64"},
                {R"({"operation":"top","limit":"2"})", "1 to 64"},
                {R"({"operation":"sum","limit":2})", "limit"},
                {R"({"operation":"sum","time":"1"})", "time"},
                {R"({"operation":"sum","time":null})", "time"},
                {R"({"operation":"sum","time":-1})", "time"},
                {R"({"operation":"sum","time":1e300})", "time"},
                {R"({"operation":"sum","time":0})", ""},
                {R"({"operation":"sum","time":0.099})", ""},
                {R"({"operation":"sum","time":60.001})", ""},
                {R"({"operation":"sum","tell_all":1})", "tell_all"},
                {R"({"operation":"sum","tell_all":"true"})", "tell_all"},
                {R"({"operation":"sum","ttl":5})", "ttl"},
                {R"({"operation":"sum","value":"1"})", "finite number"},
                {R"({"operation":"sum","values":{"a":[1]}})", "finite number"}});
  CHECK(fault_of_question(R"({"operation":"sum","time":0.1})").empty());
  CHECK(fault_of_question(R"({"operation":"sum","time":60})").empty());
}

TEST_CASE("aggregate json: a text that was cut anywhere is refused", "[patterns]") {
  const std::string question = R"({"operation":"top","limit":3,"time":1.5,"tell_all":true,"value":1,"values":{"a":2}})";
  const std::string values = R"({"value":1e3,"values":{"a":-2.5},"ttl":60})";
  REQUIRE(fault_of_question(question).empty());
  REQUIRE(fault_of_values(values).empty());
  for (std::size_t size = 0; size < question.size(); ++size) CHECK_FALSE(fault_of_question(question.substr(0, size)).empty());
  for (std::size_t size = 0; size < values.size(); ++size) CHECK_FALSE(fault_of_values(values.substr(0, size)).empty());
}

TEST_CASE("aggregate json: values are of at most 256 groups, each once, with a name that may be shown", "[patterns]") {
  CHECK(read_values("{\"values\":" + groups(256) + "}")->values.size() == 256);
  check_faults(fault_of_values, {{"{\"values\":" + groups(257) + "}", "256 groups"},
                                 {"{\"value\":1,\"values\":" + groups(256) + "}", "256 groups"},
                                 {"{\"values\":" + groups(256) + ",\"values\":{\"more\":1}}", "256 groups"},
                                 {R"({"values":{"a":1,"a":1}})", "one value"},
                                 {R"({"values":{"a":1,"\u0061":1}})", "one value"},
                                 {R"({"value":1,"values":{"":1}})", "one value"},
                                 {R"({"value":1,"value":1})", "one value"},
                                 {"{\"values\":{\"" + std::string(65, 'g') + "\":1}}", "64 bytes"},
                                 {R"({"values":{"line\nbreak":1}})", "may be shown"},
                                 {"{\"values\":{\"\xff\":1}}", ""},
                                 {R"({"values":1})", "values is an object"},
                                 {R"({"values":[1]})", "values is an object"},
                                 {R"({})", "is needed"},
                                 {R"({"values":{}})", "is needed"},
                                 {R"({"ttl":5})", "is needed"},
                                 {R"({"value":null})", "finite"},
                                 {R"({"value":true})", "finite"},
                                 {R"({"value":1,"operation":"sum"})", "operation"}});
  CHECK(read_values("{\"values\":{\"" + std::string(64, 'g') + "\":1}}"));
}

TEST_CASE("aggregate json: values are kept for a second to a day, or until they are taken back", "[patterns]") {
  CHECK_FALSE(read_values(R"({"value":1})")->ttl);
  CHECK(read_values(R"({"value":1,"ttl":1})")->ttl == 1s);
  CHECK(read_values(R"({"value":1,"ttl":1.5})")->ttl == 1500ms);
  CHECK(read_values(R"({"value":1,"ttl":86400})")->ttl == 24h);
  for (const auto* ttl : {"0", "0.999", "86400.001", "-5", "1e300", "\"60\"", "null"}) {
    CHECK(fault_of_values(R"({"value":1,"ttl":)" + std::string{ttl} + "}").find("ttl is 1 to") != std::string::npos);
  }
}

TEST_CASE("aggregate json: whole numbers of 64 bits keep all of them, others are the nearest double", "[patterns]") {
  CHECK(one_number("9223372036854775807") == Number{std::numeric_limits<std::int64_t>::max()});
  CHECK(one_number("-9223372036854775808") == Number{std::numeric_limits<std::int64_t>::min()});
  CHECK(one_number("9223372036854775808") == real(9223372036854775808.0));
  CHECK(one_number("4.0") == Number{4});
  CHECK(one_number("-0") == Number{0});
  CHECK(one_number("0.1") == real(0.1));
  CHECK(one_number("1.7976931348623157e308") == real(std::numeric_limits<double>::max()));
  for (const auto* text : {"1e309", "-1e309", "1e-400", "NaN", "Infinity", "+1", "0x10", "01", ".5", "1.", "1e", "--1", "1 2"}) {
    INFO(text);
    CHECK_FALSE(fault_of_values("{\"value\":" + std::string{text} + "}").empty());
  }
}

TEST_CASE("aggregate json: values that are shown read back as they were", "[patterns]") {
  const std::vector<Contribution> values{{"", Number{std::numeric_limits<std::int64_t>::min()}},
                                         {"a \"quoted\\ one", real(0.1)},
                                         {"z\xc3\xbc", real(1e300)}};
  const auto shown = values_json(values);
  CHECK(values_json({}) == "{}");
  const auto read = read_values("{\"values\":" + shown + "}");
  REQUIRE(read);
  REQUIRE(read->values.size() == values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    CHECK(read->values[i].group == values[i].group);
    CHECK(number_of(read->values[i]) == number_of(values[i]));
  }
}

TEST_CASE("aggregate json: an outcome says who is in it, and who is not", "[patterns]") {
  const auto hex = "ab" + std::string(62, '0');
  const auto key = PublicKey::from_hex(hex).value();
  Outcome outcome;
  CHECK(outcome_json("s", {Kind::sum, 0, {}}, outcome) ==
        R"({"session":"s","operation":"sum","complete":true,"contributed":0,"abstained":0,"missing":0,"missing_keys":[],)"
        R"("settling":false,"truncated":false,"groups":[]})");
  outcome = {.groups = {{.group = "", .count = 2, .value = real(2.5), .top = {}, .bytes = {}},
                        {.group = "\"", .count = 1, .value = Number{-7}, .top = {}, .bytes = {}}},
             .contributed = 2,
             .abstained = 1,
             .missing = 3,
             .missing_keys = {key, key},
             .settling = true,
             .truncated = true};
  CHECK(outcome_json("a\"b", {Kind::mean, 0, {}}, outcome) ==
        R"({"session":"a\"b","operation":"mean","complete":false,"contributed":2,"abstained":1,"missing":3,"missing_keys":[")" +
            hex + "\",\"" + hex +
            R"("],"settling":true,"truncated":true,"groups":[{"group":"","count":2,"value":2.5},{"group":"\"","count":1,"value":-7}]})");
  // The highest have their nodes; what is merged by a function of the program's is bytes, which JSON does not show.
  outcome.groups = {{.group = "g", .count = 2, .value = {}, .top = {{Number{9}, key}, {real(0.5), {}}}, .bytes = to_bytes("x")}};
  outcome.missing_keys.clear();
  const auto groups_of = [&](const Operation& operation) {
    const auto text = outcome_json("s", operation, outcome);
    return text.substr(text.find("\"groups\""));
  };
  CHECK(groups_of({Kind::top, 2, {}}) == R"("groups":[{"group":"g","count":2,"top":[{"value":9,"node":")" + hex +
                                             R"("},{"value":0.5,"node":")" + std::string(64, '0') + R"("}]}]})");
  CHECK(groups_of({Kind::custom, 0, "join"}) == R"("groups":[{"group":"g","count":2}]})");
}
