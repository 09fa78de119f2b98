#include "a2a/task_store.hpp"

#include <array>
#include <catch2/catch_test_macros.hpp>

#include "a2a/agent_skills.hpp"
#include "a2a/pretty_json.hpp"

using namespace axl;
using namespace axl::a2a;

namespace {

PublicKey owner(int number) {
  std::array<std::byte, PublicKey::kSize> bytes{};
  bytes[0] = static_cast<std::byte>(number);
  return PublicKey{bytes};
}

Task task(const std::string& id, int of = 1) { return {.id = id, .context_id = "c", .owner = owner(of)}; }

constexpr WallTime t0{};

}  // namespace

TEST_CASE("task store: when full the oldest finished task goes, and running ones never") {
  TaskStore store{{.tasks = 2}};
  REQUIRE(store.add(task("a")).ok());
  REQUIRE(store.add(task("b")).ok());
  CHECK(store.add(task("c")).error().is(Errc::limit_reached));
  REQUIRE(store.set_state("b", TaskState::completed, {}, t0));
  REQUIRE(store.add(task("c")).ok());
  CHECK(store.find(owner(1), "b") == nullptr);
  CHECK(store.find(owner(1), "a") != nullptr);
}

TEST_CASE("task store: one caller's bound takes nothing from others") {
  TaskStore store{{.tasks_per_owner = 1}};
  REQUIRE(store.add(task("x", 2)).ok());
  REQUIRE(store.set_state("x", TaskState::failed, "no", t0));
  REQUIRE(store.add(task("a")).ok());
  CHECK(store.add(task("b")).error().is(Errc::limit_reached));
  CHECK(store.find(owner(2), "x") != nullptr);
  CHECK(store.find(owner(1), "x") == nullptr);
}

TEST_CASE("task store: a page is full with many bytes too, and the next one goes on there") {
  TaskStore store{{}};
  for (const auto* id : {"a", "b", "c"}) {
    REQUIRE(store.add(task(id)).ok());
    REQUIRE(store.set_answer(id, std::string(5'000, '1'), t0).ok());
  }
  ListFilter filter{.page_bytes = 12'000};
  const auto first = store.list(owner(1), filter);
  CHECK(first.tasks.size() == 2);
  CHECK(first.total == 3);
  filter.before = first.continue_before;
  filter.page_bytes = 1;
  const auto second = store.list(owner(1), filter);
  REQUIRE(second.tasks.size() == 1);
  CHECK(second.tasks[0]->id == "a");
  CHECK_FALSE(second.continue_before);
}

TEST_CASE("pretty json: what is long is left as it is") {
  const auto longest = "[" + std::string(256UL * 1024, ' ') + "1]";
  CHECK(pretty_json(longest) == longest);
}

TEST_CASE("task store: an answer without room is refused, and bytes are given back with their task") {
  TaskStore store{{.bytes = 4'096}};
  REQUIRE(store.add(task("a")).ok());
  const auto empty = store.bytes();
  CHECK(store.set_answer("a", std::string(8'192, '1'), t0).error().is(Errc::limit_reached));
  REQUIRE(store.set_answer("a", std::string(3'000, '1'), t0).ok());
  REQUIRE(store.set_state("a", TaskState::completed, {}, t0));
  CHECK_FALSE(store.set_state("a", TaskState::canceled, {}, t0));
  REQUIRE(store.add(task("b")).ok());
  REQUIRE(store.set_answer("b", std::string(3'000, '1'), t0).ok());
  CHECK(store.size() == 1);
  CHECK(store.bytes() == empty + 3'000);
}

TEST_CASE("task times: written and read alike") {
  CHECK(encode_time(WallTime{1'709'210'096'789}) == "2024-02-29T12:34:56.789Z");
  CHECK(parse_time("2024-02-29T12:34:56.789Z") == WallTime{1'709'210'096'789});
  CHECK(parse_time("2024-02-29T13:34:56+01:00") == WallTime{1'709'210'096'000});
  for (const auto* text : {"", "2024", "2024-13-01T00:00:00Z", "2024-01-01T00:00:00", "2024-01-01 00:00:00.Z?"}) {
    CHECK_FALSE(parse_time(text));
  }
}

TEST_CASE("JSON for people: strings and numbers as written, deep nesting as it is") {
  CHECK(pretty_json(R"({"a":[1.50,{}],"b":"x\",{"})") ==
        "{\n  \"a\": [\n    1.50,\n    {}\n  ],\n  \"b\": \"x\\\",{\"\n}");
  std::string deep;
  for (int i = 0; i < 60; ++i) deep += '[';
  for (int i = 0; i < 2'000; ++i) deep += "1,";
  deep += '1';
  for (int i = 0; i < 60; ++i) deep += ']';
  CHECK(pretty_json(deep) == deep);
}

TEST_CASE("skills: a progress token is added where a call takes one, and nowhere else") {
  CHECK(with_progress_token(R"({"id":1,"method":"tools/call","params":{"name":"t"}})", "p") ==
        R"({"id":1,"method":"tools/call","params":{"_meta":{"progressToken":"p"},"name":"t"}})");
  CHECK(with_progress_token(R"({"id":1,"method":"tools/call","params":{}})", "p") ==
        R"({"id":1,"method":"tools/call","params":{"_meta":{"progressToken":"p"}}})");
  for (const auto* text : {R"({"id":1,"method":"tools/call","params":{"_meta":{}}})",
                           R"({"id":1,"method":"tools/list","params":{}})", R"({"method":"tools/call","params":{}})"}) {
    CHECK(with_progress_token(text, "p") == text);
  }
}
