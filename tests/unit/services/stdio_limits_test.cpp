// Command services and programs that mean no good, or too many of them: real processes.
#include <signal.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "services/registry.hpp"
#include "services/stdio_errors.hpp"
#include "stdio_rig.hpp"

using namespace std::chrono_literals;
using namespace axl;
using namespace axl::test;

namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// Gone, or a zombie that its new parent has yet to reap.
bool is_gone(int pid) {
  if (::kill(pid, 0) != 0) return errno == ESRCH;
  const auto path = std::filesystem::path{"/proc"} / std::to_string(pid) / "stat";
  auto* const file = std::fopen(path.c_str(), "r");
  if (file == nullptr) return true;
  char state = 0;
  const auto read = std::fscanf(file, "%*d (%*[^)]) %c", &state);
  std::fclose(file);
  return read == 1 && (state == 'Z' || state == 'X');
}

// A shell that answers `initialize` and then does as `script` says.
std::vector<std::string> after_initialize(const std::string& script) {
  return {"sh", "-c",
          R"(read line; printf '{"jsonrpc":"2.0","id":0,"result":{"pid":%d,"protocolVersion":"2025-06-18"}}\n' $$; )" +
              script};
}

int pid_in(const std::string& text) {
  const auto at = text.find("\"pid\":");
  REQUIRE(at != std::string::npos);
  return std::stoi(text.substr(at + 6));
}

int status_of(StdioRig& rig, unsigned who) {
  return rig.ask("POST", StdioRig::post_headers(), StdioRig::initialize(), who)->head.status;
}

}  // namespace

TEST_CASE("command service: by default 16 processes, and one caller gets half of them when others may come too",
          "[services]") {
  StdioRig rig;
  services::Registry registry{{}, rig.system, rig.scheduler, rig.log};
  const auto open = [&](const services::Backend& backend, unsigned who) {
    Call call{*backend.upstream, StdioRig::key(who), "POST", StdioRig::post_headers(), StdioRig::initialize()};
    REQUIRE(rig.wait([&] { return call.over(); }));
    if (call.head.status == 503) {
      CHECK_FALSE(call.header("Retry-After").empty());
      CHECK(contains(call.text, "in use"));
    }
    return call.head.status;
  };
  ServiceCommand command;
  command.command = after_initialize("exec cat");
  SECTION("open to everyone") {
    REQUIRE(registry.add_command("tool", command, {.everyone = true}));
    const auto tool = registry.table().find("tool")->backend;
    for (int i = 0; i < 8; ++i) CHECK(open(tool, 1) == 200);
    CHECK(open(tool, 1) == 503);
    for (int i = 0; i < 8; ++i) CHECK(open(tool, 2) == 200);
    CHECK(open(tool, 3) == 503);
  }
  SECTION("for two") {
    REQUIRE(registry.add_command("tool", command, {.everyone = false, .allow = {StdioRig::key(1), StdioRig::key(2)}}));
    const auto tool = registry.table().find("tool")->backend;
    for (int i = 0; i < 8; ++i) CHECK(open(tool, 1) == 200);
    CHECK(open(tool, 1) == 503);
    CHECK(open(tool, 2) == 200);
  }
  SECTION("for one alone") {
    REQUIRE(registry.add_command("tool", command, {.everyone = false, .allow = {StdioRig::key(1)}}));
    const auto tool = registry.table().find("tool")->backend;
    for (int i = 0; i < 16; ++i) CHECK(open(tool, 1) == 200);
    CHECK(open(tool, 1) == 503);
  }
  SECTION("as configured, half rounded up") {
    command.max_processes = 3;
    REQUIRE(registry.add_command("tool", command, {.everyone = true}));
    const auto tool = registry.table().find("tool")->backend;
    for (int i = 0; i < 2; ++i) CHECK(open(tool, 1) == 200);
    CHECK(open(tool, 1) == 503);
    CHECK(open(tool, 2) == 200);
  }
  SECTION("the share by itself") {
    command.max_processes_per_caller = 1;
    REQUIRE(registry.add_command("tool", command, {.everyone = true}));
    const auto tool = registry.table().find("tool")->backend;
    CHECK(open(tool, 1) == 200);
    CHECK(open(tool, 1) == 503);
    CHECK(open(tool, 2) == 200);
  }
}

TEST_CASE("command service: a program that does not listen is killed with its children, and counts until then",
          "[services]") {
  StdioRig rig{{.max_processes = 1, .grace = 300ms},
               after_initialize("trap '' TERM; sh -c \"trap '' TERM; echo child \\$\\$ >&2; sleep 1000; sleep 1000\" & "
                                "while :; do sleep 1000; done")};
  const auto begun = rig.ask("POST", StdioRig::post_headers(), StdioRig::initialize());
  const auto pid = pid_in(begun->text);
  int child = 0;
  REQUIRE(rig.wait([&] {
    for (const auto& line : rig.lines) {
      if (const auto at = line.find("]: child "); at != std::string::npos) child = std::stoi(line.substr(at + 9));
    }
    return child != 0;
  }));
  CHECK(rig.ask("DELETE", {{"Mcp-Session-Id", begun->header("Mcp-Session-Id")}})->head.status == 204);
  CHECK(status_of(rig, 2) == 503);
  CHECK_FALSE(is_gone(pid));
  REQUIRE(rig.wait([&] { return rig.server->processes() == 0; }));
  CHECK(::kill(pid, 0) != 0);
  CHECK(rig.wait([&] { return is_gone(child); }));
  CHECK(status_of(rig, 2) == 200);
}

TEST_CASE("command service: a program whose output ends is ended, though it would go on", "[services]") {
  StdioRig rig{{.grace = 50ms}, after_initialize("exec 1>&-; trap '' TERM; while :; do sleep 1000; done")};
  const auto begun = rig.ask("POST", StdioRig::post_headers(), StdioRig::initialize());
  CHECK(begun->head.status == 200);
  CHECK(rig.wait([&] { return rig.server->processes() == 0; }));
  CHECK(::kill(pid_in(begun->text), 0) != 0);
}

TEST_CASE("command service: output without an end of line ends the session at the limit", "[services]") {
  StdioRig rig{{.max_message = 200'000, .grace = 50ms}, after_initialize("exec cat /dev/zero")};
  const auto begun = rig.ask("POST", StdioRig::post_headers(), StdioRig::initialize());
  const auto id = begun->header("Mcp-Session-Id");
  REQUIRE(begun->head.status == 200);
  REQUIRE(rig.wait([&] { return rig.server->processes() == 0; }));
  CHECK(std::ranges::any_of(rig.lines,
                            [](const auto& line) { return contains(line, "wrote a line of more than 200000 bytes"); }));
  CHECK(rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("1", "echo"))->head.status == 404);
  CHECK(rig.ask("POST", StdioRig::post_headers(), StdioRig::initialize(), 2)->head.status == 200);
}

TEST_CASE("command service: what is no message is passed over, however it looks, and the next one counts",
          "[services]") {
  const std::vector<std::string> noise{
      R"(printf '\000\001\377\376\n')",
      R"(printf '\n\r\n \t\n')",
      R"(printf '{"jsonrpc":"2.0","id":1,"result":"\377\377"}\n')",  // no UTF-8
      R"(printf '{"jsonrpc":"2.0","id":1,"result":{}\n')",           // cut short
      R"(printf '{"jsonrpc":"2.0","id":1,"result":{}} trailing\n')",
      R"(printf '[{"jsonrpc":"2.0","id":1,"result":{}},7]\n')",
      R"(printf '{"jsonrpc":"2.0","id":77,"result":"nobody asked"}\n')",
      R"(printf '{"jsonrpc":"2.0","id":"1","result":"another type"}\n')",
      R"(printf '{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":""}}\n')",
      R"(head -c 100000 /dev/zero | tr '\000' '['; echo)",
      R"(head -c 100000 /dev/urandom; echo)",
  };
  for (const auto& what : noise) {
    CAPTURE(what);
    StdioRig rig{{}, after_initialize("read line; " + what + "; printf '{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":" +
                                      R"({"good":true}}\n{"jsonrpc":"2.0","id":1,"result":"twice"}\n'; exec cat)")};
    const auto id = rig.open();
    REQUIRE_FALSE(id.empty());
    const auto call = rig.ask("POST", StdioRig::post_headers(id), StdioRig::tool("1", "x"));
    CHECK(call->complete);
    REQUIRE_FALSE(call->events().empty());
    CHECK(contains(call->events().back(), R"({"good":true})"));
    for (const auto& line : rig.lines) CHECK(line.find_first_of(std::string_view{"\0\n\r\x1b", 4}) == std::string::npos);
  }
}

TEST_CASE("command service: a flood that nobody reads stays within bounds and stops with its session", "[services]") {
  // Notifications without end: kept for the client's stream, the oldest go.
  StdioRig rig{{.replay_bytes = 10'000, .replay_events = 16, .grace = 50ms},
               after_initialize("exec yes '{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{}}'")};
  const auto id = rig.open();
  REQUIRE_FALSE(id.empty());
  int turns = 0;
  static_cast<void>(rig.wait([&] { return ++turns > 2'000; }));
  CHECK(rig.server->processes() == 1);
  const auto stream = rig.begin("GET", StdioRig::get_headers(id));
  REQUIRE(rig.wait([&] { return stream->events().size() >= 16; }));
  CHECK(rig.ask("DELETE", {{"Mcp-Session-Id", id}})->head.status == 204);
  CHECK(rig.wait([&] { return rig.server->processes() == 0; }));
}

TEST_CASE("command service: one that has worked begins its pauses anew", "[services]") {
  // It answers once, then ends: neither a failure nor a reason to wait.
  StdioRig rig{{}, after_initialize("exit 0")};
  for (int i = 0; i < 5; ++i) {
    CHECK(status_of(rig, 1) == 200);
    REQUIRE(rig.wait([&] { return rig.server->processes() == 0; }));
  }
}

TEST_CASE("command service: the pauses between failing starts double, up to a minute", "[services]") {
  StdioRig rig{{}, {"false"}};
  CHECK(status_of(rig, 1) == 502);
  for (const auto pause : {1, 2, 4, 8, 16, 32, 60, 60}) {
    CHECK(status_of(rig, 1) == 502);
    const auto refused = rig.ask("POST", StdioRig::post_headers(), StdioRig::initialize(), 2);  // whoever asks
    CHECK(refused->head.status == 503);
    CHECK(refused->header("Retry-After") == std::to_string(pause));
    rig.scheduler.ahead += std::chrono::seconds{pause};
  }
}

TEST_CASE("command service: of a flood on standard error the log gets a hundred lines a second, cut", "[services]") {
  std::vector<std::string> lines;
  const Logger log{[&](LogLevel, std::string_view, std::string_view line) { lines.emplace_back(line); },
                   LogLevel::debug};
  services::StdioErrors errors{"tool", 7, log};
  const Time start{1h};
  errors.take(std::string(5'000, 'x'), start);
  CHECK(lines.at(0) == "tool[7]: " + std::string(1'000, 'x') + "...");
  for (int i = 1; i < 250; ++i) errors.take("line", start + 999ms);
  CHECK(lines.size() == 100);
  errors.take("next", start + 1s);
  REQUIRE(lines.size() == 102);
  CHECK(lines[100] == "tool[7]: 150 more lines left out");
  CHECK(lines[101] == "tool[7]: next");
}

TEST_CASE("command service: standard error without an end of line, or binary, reaches the log in pieces", "[services]") {
  StdioRig rig{{}, after_initialize("head -c 20000 /dev/urandom >&2; printf '\\033]0;owned\\007' >&2; exec cat")};
  const auto id = rig.open();
  REQUIRE_FALSE(id.empty());
  rig.ask("DELETE", {{"Mcp-Session-Id", id}});
  REQUIRE(rig.wait([&] { return rig.server->processes() == 0; }));
  for (const auto& line : rig.lines) {
    CHECK(line.size() < 5'000);
    for (const char c : line) CHECK_FALSE((static_cast<unsigned char>(c) < 0x20 || c == 0x7F));
  }
}
