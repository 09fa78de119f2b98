// Sessions of the revisions up to 2025-11-25, against a real program.
#include "services/stdio_server.hpp"

#include <signal.h>

#include <catch2/catch_test_macros.hpp>
#include <cerrno>

#include "stdio_rig.hpp"

using namespace std::chrono_literals;
using namespace axl;
using namespace axl::test;

namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

bool is_session_id(const std::string& id) {
  return id.size() == 32 && id.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

TEST_CASE("command service: initialize starts a process and names the session", "[services]") {
  StdioRig rig;
  const auto begun = rig.ask("POST", StdioRig::post_headers(), StdioRig::initialize());
  CHECK(begun->head.status == 200);
  CHECK(begun->header("Content-Type") == "text/event-stream");
  CHECK(begun->complete);
  const auto id = begun->header("Mcp-Session-Id");
  CHECK(is_session_id(id));
  REQUIRE(begun->events().size() == 1);
  CHECK(contains(begun->events()[0], R"("protocolVersion":"2025-06-18")"));
  CHECK(rig.server->processes() == 1);

  const auto told =
      rig.ask("POST", StdioRig::post_headers(id), R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  CHECK(told->head.status == 202);
  CHECK(told->text.empty());

  const auto called = rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("1", "echo", R"({"a":[1,2.50,"ü"]})"));
  CHECK(called->head.status == 200);
  REQUIRE(called->events().size() == 1);
  CHECK(contains(called->events()[0], R"("id":1)"));
  CHECK(contains(called->events()[0], R"({"echo":{"a":[1,2.5)"));

  const auto seen = rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("2", "seen"));
  CHECK(contains(seen->text, "notifications/initialized"));
}

TEST_CASE("command service: a client that takes JSON only gets JSON", "[services]") {
  StdioRig rig;
  const auto begun = rig.ask("POST", StdioRig::post_headers({}, "application/json"), StdioRig::initialize());
  CHECK(begun->head.status == 200);
  CHECK(begun->header("Content-Type") == "application/json");
  const auto id = begun->header("Mcp-Session-Id");
  CHECK(is_session_id(id));
  CHECK(begun->text.starts_with(R"({"jsonrpc":"2.0","id":0,"result":{)"));

  SECTION("progress does not get into it") {
    const auto call = rig.ask("POST", StdioRig::post_headers(id, "application/json"),
                              StdioRig::tool("\"x\"", "progress", R"({"steps":3})", "7"));
    CHECK(call->text == R"({"jsonrpc":"2.0","id":"x","result":{"steps":3}})");
  }
  SECTION("a batch is answered with an array") {
    const auto call = rig.ask("POST", StdioRig::post_headers(id, "application/json"),
                              "[" + StdioRig::tool("1", "echo") + ",\n" + StdioRig::tool("2", "echo") + "]");
    CHECK(call->text ==
          R"([{"jsonrpc":"2.0","id":1,"result":{"echo":{}}},{"jsonrpc":"2.0","id":2,"result":{"echo":{}}}])");
  }
  SECTION("a batch of one too") {
    const auto call =
        rig.ask("POST", StdioRig::post_headers(id, "application/json"), "[" + StdioRig::tool("1", "echo") + "]");
    CHECK(call->text == R"([{"jsonrpc":"2.0","id":1,"result":{"echo":{}}}])");
  }
}

TEST_CASE("command service: line breaks between tokens reach the program as one line", "[services]") {
  StdioRig rig;
  const auto id = rig.open();
  const auto call = rig.ask("POST", StdioRig::post_headers(id),
                            "\r\n{\n\"jsonrpc\": \"2.0\",\r\n\"id\": 5,\n\"method\": \"tools/call\",\n\"params\": "
                            "{\"name\":\"echo\",\n\"arguments\":{\"text\":\"a\\nb\"}}}\n\n");
  REQUIRE(call->events().size() == 1);
  CHECK(contains(call->events()[0], R"("text":"a\nb")"));
}

TEST_CASE("command service: requests that make no sense are refused", "[services]") {
  StdioRig rig;
  const auto id = rig.open();
  const auto status = [&](std::string method, http::Headers headers, std::string body, unsigned who = 1) {
    return rig.ask(std::move(method), std::move(headers), std::move(body), who)->head.status;
  };
  const auto call = StdioRig::tool("1", "echo");
  CHECK(status("POST", StdioRig::post_headers(), call) == 400);
  CHECK(status("POST", StdioRig::post_headers("0123456789abcdef0123456789abcdef"), call) == 404);
  CHECK(status("POST", StdioRig::post_headers(id), call, 2) == 404);
  CHECK(status("GET", StdioRig::get_headers(id), {}, 2) == 404);
  CHECK(status("DELETE", {{"Mcp-Session-Id", id}}, {}, 2) == 404);
  CHECK(status("POST", StdioRig::post_headers(id), "{") == 400);
  CHECK(status("POST", StdioRig::post_headers(id), "[]") == 400);
  CHECK(status("POST", StdioRig::post_headers(id), "[1]") == 400);
  CHECK(status("POST", StdioRig::post_headers(id), R"({"no":"message"})") == 400);
  CHECK(status("POST", StdioRig::post_headers(id, "text/html"), call) == 406);
  CHECK(status("POST", {{"Content-Type", "text/plain"}, {"Mcp-Session-Id", id}}, call) == 415);
  CHECK(status("PUT", StdioRig::post_headers(id), call) == 405);
  CHECK(status("GET", {{"Mcp-Session-Id", id}}, {}) == 406);
  CHECK(status("GET", StdioRig::get_headers(id, "9-1"), {}) == 400);
  CHECK(status("GET", StdioRig::get_headers(id, "nonsense"), {}) == 400);
  CHECK(status("POST", StdioRig::post_headers(id), call) == 200);
}

TEST_CASE("command service: progress comes before the answer, on the stream of its request", "[services]") {
  StdioRig rig;
  const auto id = rig.open();
  const auto other = rig.begin("POST", StdioRig::post_headers(id), StdioRig::tool("1", "hold", R"({"name":"a"})"));
  const auto call =
      rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("2", "progress", R"({"steps":3})", "\"t\""));
  const auto events = call->events();
  REQUIRE(events.size() == 4);
  for (std::size_t step = 0; step < 3; ++step) CHECK(contains(events[step], "\"progress\":" + std::to_string(step)));
  CHECK(contains(events[3], R"("id":2)"));
  CHECK(other->events().empty());
}

TEST_CASE("command service: a request of the program is answered by a POST of the client", "[services]") {
  StdioRig rig;
  const auto id = rig.open();
  const auto call = rig.begin("POST", StdioRig::post_headers(id), StdioRig::tool("1", "ask"));
  REQUIRE(rig.wait([&] { return call->events().size() == 1; }));
  CHECK(contains(call->events()[0], "sampling/createMessage"));
  const auto answer =
      rig.ask("POST", StdioRig::post_headers(id), R"({"jsonrpc":"2.0","id":"srv-1","result":{"model":"m"}})");
  CHECK(answer->head.status == 202);
  REQUIRE(rig.wait([&] { return call->over(); }));
  CHECK(contains(call->events().back(), R"({"answer":{"model":"m"}})"));
}

TEST_CASE("command service: what belongs to no single request goes to the client's own stream", "[services]") {
  StdioRig rig;
  const auto id = rig.open();
  const auto stream = rig.begin("GET", StdioRig::get_headers(id));
  REQUIRE(rig.wait([&] { return stream->head.status == 200; }));
  CHECK(rig.ask("GET", StdioRig::get_headers(id))->head.status == 409);
  const auto held = rig.begin("POST", StdioRig::post_headers(id), StdioRig::tool("1", "hold", R"({"name":"a"})"));
  REQUIRE(rig.wait([&] { return held->head.status == 200; }));
  const auto logged = rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("2", "log", R"({"text":"hello"})"));
  CHECK(logged->events().size() == 1);
  REQUIRE(rig.wait([&] { return stream->events().size() == 1; }));
  CHECK(contains(stream->events()[0], R"("data":"hello")"));
  CHECK(held->events().empty());
  SECTION("and to the one request under way when there is but one") {
    const auto released =
        rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("3", "release", R"({"names":["a"]})"));
    const auto alone = rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("4", "log", R"({"text":"near"})"));
    CHECK(alone->events().size() == 2);
    CHECK(stream->events().size() == 1);
  }
}

TEST_CASE("command service: what nobody hears waits for the client's stream", "[services]") {
  StdioRig rig;
  const auto id = rig.open();
  rig.ask("POST", StdioRig::post_headers(id, "application/json"), StdioRig::tool("1", "log", R"({"text":"early"})"));
  const auto stream = rig.begin("GET", StdioRig::get_headers(id));
  REQUIRE(rig.wait([&] { return stream->events().size() == 1; }));
  CHECK(contains(stream->events()[0], "early"));
  stream->vanish();
  SECTION("once") {
    rig.ask("POST", StdioRig::post_headers(id, "application/json"), StdioRig::tool("2", "log", R"({"text":"late"})"));
    const auto again = rig.begin("GET", StdioRig::get_headers(id, "0-1"));
    REQUIRE(rig.wait([&] { return !again->events().empty(); }));
    CHECK(again->events().size() == 1);
    CHECK(contains(again->events()[0], "late"));
  }
}

TEST_CASE("command service: a broken stream is resumed where it broke, and cancels nothing", "[services]") {
  StdioRig rig;
  const auto id = rig.open(1, "2025-11-25");
  const auto call = rig.begin("POST", StdioRig::post_headers(id), StdioRig::tool("1", "hold", R"({"name":"a"})"));
  // From 2025-11-25 on there is an id before there is an event.
  REQUIRE(rig.wait([&] { return call->ids().size() == 1; }));
  CHECK(call->events().empty());
  const auto last = call->ids()[0];
  call->vanish();
  const auto released =
      rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("2", "release", R"({"names":["a"]})"));
  REQUIRE(released->complete);
  SECTION("after the answer has come") {
    const auto resumed = rig.ask("GET", StdioRig::get_headers(id, last));
    REQUIRE(resumed->events().size() == 1);
    CHECK(contains(resumed->events()[0], R"({"released":"a"})"));
    CHECK(resumed->complete);
    SECTION("and once more, if that one broke too") {
      CHECK(rig.ask("GET", StdioRig::get_headers(id, last))->events().size() == 1);
    }
    SECTION("but not what was seen already") {
      CHECK(rig.ask("GET", StdioRig::get_headers(id, resumed->ids().back()))->events().empty());
    }
  }
  SECTION("nothing was cancelled") {
    CHECK_FALSE(contains(rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("3", "seen"))->text, "cancelled"));
  }
}

TEST_CASE("command service: a stream is resumed before its answer has come", "[services]") {
  StdioRig rig;
  const auto id = rig.open(1, "2025-11-25");
  const auto call = rig.begin("POST", StdioRig::post_headers(id), StdioRig::tool("1", "hold", R"({"name":"a"})"));
  REQUIRE(rig.wait([&] { return call->ids().size() == 1; }));
  const auto last = call->ids()[0];
  call->vanish();
  const auto resumed = rig.begin("GET", StdioRig::get_headers(id, last));
  REQUIRE(rig.wait([&] { return resumed->head.status == 200; }));
  rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("2", "release", R"({"names":["a"]})"));
  REQUIRE(rig.wait([&] { return resumed->over(); }));
  CHECK(resumed->complete);
  CHECK(resumed->events().size() == 1);
}

TEST_CASE("command service: what is kept for those who come back has bounds", "[services]") {
  StdioRig rig{{.replay_bytes = 20'000, .replay_events = 8}};
  const auto id = rig.open(1, "2025-11-25");
  const auto first =
      rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("1", "progress", R"({"steps":50})", "1"));
  CHECK(first->events().size() == 51);
  const auto stream = first->ids().back().substr(0, first->ids().back().find('-'));
  CHECK(rig.ask("GET", StdioRig::get_headers(id, stream + "-0"))->events().size() == 8);
  const auto big = rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("2", "big", R"({"size":100000})"));
  const auto again = rig.ask("GET", StdioRig::get_headers(id, big->ids().front()));
  CHECK(again->complete);
  CHECK(rig.ask("GET", StdioRig::get_headers(id, stream + "-0"))->head.status == 400);
}

TEST_CASE("command service: 8 MiB pass, more than the limit ends the session", "[services]") {
  StdioRig rig{{.max_message = 9'000'000}};
  const auto id = rig.open();
  const auto big = rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("1", "big", R"({"size":8388608})"));
  REQUIRE(big->events().size() == 1);
  CHECK(big->events()[0].size() > 8'388'608);
  CHECK(rig.ask("POST", StdioRig::post_headers(id), std::string(9'000'001, ' '))->head.status == 413);
  const auto bigger = rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("2", "big", R"({"size":9000000})"));
  CHECK(bigger->failed);
  CHECK(rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("3", "echo"))->head.status == 404);
}

TEST_CASE("command service: DELETE ends the session and its process", "[services]") {
  StdioRig rig{{.grace = 5s}};
  const auto begun = rig.ask("POST", StdioRig::post_headers(), StdioRig::initialize());
  const auto id = begun->header("Mcp-Session-Id");
  const auto at = begun->events()[0].find("\"pid\":") + 6;
  const auto pid = std::stoi(begun->events()[0].substr(at));
  const auto stream = rig.begin("GET", StdioRig::get_headers(id));
  REQUIRE(rig.wait([&] { return stream->head.status == 200; }));
  CHECK(rig.ask("DELETE", {{"Mcp-Session-Id", id}})->head.status == 204);
  REQUIRE(rig.wait([&] { return stream->over(); }));
  CHECK(stream->complete);
  CHECK(rig.wait([&] { return rig.server->processes() == 0; }));
  CHECK(::kill(pid, 0) != 0);
  CHECK(rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("1", "echo"))->head.status == 404);
}

TEST_CASE("command service: the end of the process is the end of the session, and never a clean one", "[services]") {
  StdioRig rig;
  const auto id = rig.open();
  const auto stream = rig.begin("GET", StdioRig::get_headers(id));
  REQUIRE(rig.wait([&] { return stream->head.status == 200; }));
  const auto call = rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("1", "die"));
  CHECK(call->failed);
  REQUIRE(rig.wait([&] { return stream->over(); }));
  CHECK(stream->failed);
  CHECK(rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("2", "echo"))->head.status == 404);
  REQUIRE(rig.wait([&] { return rig.server->processes() == 0; }));
  const auto next = rig.open();
  CHECK(is_session_id(next));
  CHECK(next != id);
}

TEST_CASE("command service: no more processes than allowed, and a place for the next one afterwards", "[services]") {
  StdioRig rig{{.max_processes = 2}};
  const auto first = rig.open(1);
  rig.open(2);
  const auto refused = rig.ask("POST", StdioRig::post_headers(), StdioRig::initialize(), 3);
  CHECK(refused->head.status == 503);
  CHECK_FALSE(refused->header("Retry-After").empty());
  rig.ask("DELETE", {{"Mcp-Session-Id", first}});
  REQUIRE(rig.wait([&] { return rig.server->processes() == 1; }));
  CHECK(is_session_id(rig.open(3)));
}

TEST_CASE("command service: one caller gets no more processes than its share", "[services]") {
  StdioRig rig{{.max_processes = 3, .max_per_caller = 1}};
  rig.open(1);
  const auto refused = rig.ask("POST", StdioRig::post_headers(), StdioRig::initialize(), 1);
  CHECK(refused->head.status == 503);
  CHECK_FALSE(refused->header("Retry-After").empty());
  CHECK(is_session_id(rig.open(2)));
}

TEST_CASE("command service: idle sessions end, those with an open stream do not", "[services]") {
  StdioRig rig{{.idle = 200ms}};
  const auto kept = rig.open(1);
  const auto stream = rig.begin("GET", StdioRig::get_headers(kept));
  REQUIRE(rig.wait([&] { return stream->head.status == 200; }));
  const auto idle = rig.open(2);
  REQUIRE(rig.wait([&] { return rig.server->processes() == 1; }));
  CHECK(rig.ask("POST", StdioRig::post_headers(idle), StdioRig::tool("1", "echo"), 2)->head.status == 404);
  CHECK(rig.ask("POST", StdioRig::post_headers(kept), StdioRig::tool("1", "echo"))->head.status == 200);
}

TEST_CASE("command service: a program that keeps failing is started more and more seldom", "[services]") {
  SECTION("because it ends at once") {
    StdioRig rig{{}, {"sh", "-c", "echo broken >&2; exit 1"}};
    for (int attempt = 0; attempt < 2; ++attempt) {
      CHECK(rig.ask("POST", StdioRig::post_headers(), StdioRig::initialize())->head.status == 502);
    }
    const auto refused = rig.ask("POST", StdioRig::post_headers(), StdioRig::initialize());
    CHECK(refused->head.status == 503);
    CHECK(refused->header("Retry-After") == "1");
    rig.scheduler.ahead += 2s;
    CHECK(rig.ask("POST", StdioRig::post_headers(), StdioRig::initialize())->head.status == 502);
    const auto later = rig.ask("POST", StdioRig::post_headers(), StdioRig::initialize());
    CHECK(later->head.status == 503);
    CHECK(later->header("Retry-After") == "2");
    CHECK(std::count(rig.lines.begin(), rig.lines.end(), rig.lines[1]) >= 1);
  }
  SECTION("because there is none") {
    StdioRig rig{{}, {"no-such-program-anywhere"}};
    CHECK(rig.ask("POST", StdioRig::post_headers(), StdioRig::initialize())->head.status == 502);
    CHECK(rig.ask("POST", StdioRig::post_headers(), StdioRig::initialize())->head.status == 502);
    CHECK(rig.ask("POST", StdioRig::post_headers(), StdioRig::initialize())->head.status == 503);
    CHECK(rig.server->processes() == 0);
  }
}

TEST_CASE("command service: an initialize that fails leaves no session behind", "[services]") {
  StdioRig rig;
  const auto refused = rig.ask("POST", StdioRig::post_headers(),
                               R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"refuse":true}})");
  CHECK(refused->head.status == 200);
  CHECK(refused->header("Mcp-Session-Id").empty());
  CHECK(refused->complete);
  CHECK(contains(refused->text, "-32602"));
  CHECK(rig.wait([&] { return rig.server->processes() == 0; }));
}

TEST_CASE("command service: standard error goes to the log, escaped; other noise is passed over", "[services]") {
  StdioRig rig;
  const auto id = rig.open();
  CHECK(rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("1", "noise"))->events().size() == 1);
  const auto logged = [&](std::string_view part) {
    return std::any_of(rig.lines.begin(), rig.lines.end(), [&](const auto& line) { return contains(line, part); });
  };
  CHECK(rig.wait([&] { return logged("a line\\x09with \\x1b[31mcolour"); }));
  CHECK(logged("this is no message"));
}

TEST_CASE("command service: an id that is under way is not taken twice", "[services]") {
  StdioRig rig;
  const auto id = rig.open();
  const auto held = rig.begin("POST", StdioRig::post_headers(id), StdioRig::tool("1", "hold", R"({"name":"a"})"));
  REQUIRE(rig.wait([&] { return held->head.status == 200; }));
  CHECK(rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("1", "echo"))->head.status == 400);
  CHECK(rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("\"1\"", "echo"))->head.status == 200);
}

TEST_CASE("command service: a program that does not read is not fed without end", "[services]") {
  StdioRig rig{{.max_message = 300'000},
               {"sh", "-c", "read line; echo '{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{}}'; exec sleep 1000"}};
  const auto id = rig.open();
  REQUIRE(is_session_id(id));
  const auto note = R"({"jsonrpc":"2.0","method":"n","params":{"text":")" + std::string(200'000, 'x') + "\"}}";
  int status = 202;
  for (int sent = 0; sent < 20 && status == 202; ++sent) {
    status = rig.ask("POST", StdioRig::post_headers(id), note)->head.status;
  }
  CHECK(status == 503);
}

TEST_CASE("command service: destroyed in the middle of everything, it leaves nothing running", "[services]") {
  StdioRig rig;
  const auto id = rig.open();
  const auto pid_call = rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("1", "pid"));
  const auto pid = std::stoi(pid_call->events()[0].substr(pid_call->events()[0].find("\"pid\":") + 6));
  const auto stream = rig.begin("GET", StdioRig::get_headers(id));
  const auto held = rig.begin("POST", StdioRig::post_headers(id), StdioRig::tool("2", "hold", R"({"name":"a"})"));
  REQUIRE(rig.wait([&] { return held->head.status == 200 && stream->head.status == 200; }));
  rig.server.reset();
  CHECK(rig.wait([&] { return stream->failed && held->failed; }));
  CHECK(rig.wait([&] { return ::kill(pid, 0) != 0; }));
}
