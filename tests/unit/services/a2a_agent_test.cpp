#include "services/a2a_agent.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "mcp_rig.hpp"

using namespace axl;
using namespace axl::test;
using namespace std::chrono_literals;
using services::A2aAgent;
using Lines = std::vector<std::string>;

namespace {

class AgentRig : public McpRig {
 public:
  AgentRig() {
    config.identity = {.version = "1", .url = "http://[201::1]:7001/a2a"};
    config.own_key = key_of(9);
    config.wall_clock = [this] { return a2a::WallTime{1'700'000'000'000 + loop.now().time_since_epoch() / 1ms}; };
    agent = std::make_unique<A2aAgent>(config, table, budget, loop);
  }
  std::unique_ptr<TestRequest> post(std::string body, std::string_view version = "1.0", int caller = 1) {
    http::Headers headers{{"Content-Type", "application/json"}};
    if (!version.empty()) headers.add("A2A-Version", version);
    auto request = std::make_unique<TestRequest>(agent->backend(), key_of(caller), "POST", "/", std::move(headers),
                                                 std::move(body));
    loop.run();
    return request;
  }
  std::string ask(std::string body, std::string_view version = "1.0", int caller = 1) {
    const auto request = post(std::move(body), version, caller);
    REQUIRE(request->complete);
    CHECK(request->head.status == 200);
    return request->body;
  }
  std::unique_ptr<TestRequest> get(std::string target, int caller = 1, std::string_view tag = {}) {
    http::Headers headers;
    if (!tag.empty()) headers.add("If-None-Match", tag);
    auto request =
        std::make_unique<TestRequest>(agent->backend(), key_of(caller), "GET", std::move(target), headers, "");
    loop.run();
    return request;
  }
  // A service whose calls wait until the test answers them.
  void add_held(const std::string& name, ServiceAccess access = {}) {
    add(
        name,
        [this](ServiceRequest request, ServiceReply reply) {
          requests.push_back(std::move(request));
          replies.push_back(std::move(reply));
        },
        std::move(access));
  }

  services::A2aAgentConfig config;
  std::vector<ServiceRequest> requests;
  std::vector<ServiceReply> replies;
  std::unique_ptr<A2aAgent> agent;
};

std::string call(std::string_view method, std::string_view params) {
  return R"({"jsonrpc":"2.0","id":"c","method":")" + std::string{method} + R"(","params":)" + std::string{params} + "}";
}

std::string skill(std::string_view service) {
  return R"({"service":")" + std::string{service} +
         R"(","request":{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"t"}}})";
}

std::string send_1_0(std::string_view service, std::string_view method = "SendMessage",
                     std::string_view configuration = "{}") {
  return call(method, R"({"message":{"messageId":"m","role":"ROLE_USER","contextId":"ctx","parts":[{"text":)" +
                          mcp::json::quote(skill(service)) + R"(}]},"configuration":)" + std::string{configuration} +
                          "}");
}

std::string send_0_3(std::string_view service, std::string_view method = "message/send") {
  return call(method, R"({"message":{"kind":"message","messageId":"m","role":"user","parts":[{"kind":"text","text":)" +
                          mcp::json::quote(skill(service)) + "}]}}");
}

void answer_five(ServiceRequest /*request*/, ServiceReply reply) {
  reply.respond_json(R"({"jsonrpc":"2.0","id":5,"result":{"x":1}})");
}

}  // namespace

TEST_CASE("A2A agent: the card names what its caller may use, as it is now") {
  AgentRig rig;
  auto card = rig.get("/.well-known/agent-card.json");
  CHECK(json_at(card->body, "skills.0.id") == "mcp_proxy");
  rig.add("weather-now", answer_five);
  rig.add("secret", answer_five, {.everyone = false, .allow = {key_of(2)}});
  card = rig.get("/.well-known/agent-card.json");
  CHECK(card->head.status == 200);
  CHECK(json_at(card->body, "skills.0.id") == "weather-now");
  CHECK(json_at(card->body, "skills.0.name") == "Weather-Now Service");
  CHECK(json_at(card->body, "skills.1").empty());
  CHECK(json_at(card->body, "supportedInterfaces.0.url") == "http://[201::1]:7001/a2a");
  CHECK(json_at(card->body, "supportedInterfaces.0.protocolVersion") == "1.0");
  CHECK(json_at(card->body, "protocolVersion") == "0.3.0");
  CHECK(json_at(rig.get("/.well-known/agent.json", 2)->body, "skills.0.id") == "secret");
  const std::string tag{card->head.headers.get("ETag").value_or("")};
  CHECK(rig.get("/.well-known/agent-card.json", 1, tag)->head.status == 304);
  CHECK(rig.get("/.well-known/agent-card.json", 2, tag)->head.status == 200);
}

TEST_CASE("A2A agent: a message becomes a task that calls the service with the caller's key") {
  AgentRig rig;
  ServiceRequest seen;
  rig.add("s", [&seen](ServiceRequest request, ServiceReply reply) {
    seen = std::move(request);
    answer_five({}, std::move(reply));
  });
  const auto answer = rig.ask(send_1_0("s"));
  CHECK(json_at(answer, "id") == "c");
  CHECK(json_at(answer, "result.task.status.state") == "TASK_STATE_COMPLETED");
  CHECK(json_at(answer, "result.task.contextId") == "ctx");
  CHECK(json_at(answer, "result.task.id").size() == 32);
  CHECK(json_at(answer, "result.task.artifacts.0.name") == "mcp_response");
  CHECK(json_at(answer, "result.task.artifacts.0.parts.0.text") ==
        "{\n  \"jsonrpc\": \"2.0\",\n  \"id\": 5,\n  \"result\": {\n    \"x\": 1\n  }\n}");
  CHECK(json_at(answer, "result.task.artifacts.0.parts.1.data.result.x") == "1");
  CHECK(json_at(answer, "result.task.history.0.role") == "ROLE_USER");
  CHECK(seen.caller == key_of(1));
  CHECK(seen.header("X-From-Peer-Id") == key_of(1).to_hex());
  CHECK(rig.agent->running() == 0);
}

TEST_CASE("A2A agent: version 0.3 is answered in its own shapes") {
  AgentRig rig;
  rig.add("s", answer_five);
  const std::string version = GENERATE("", "0.3", "1.0");  // nodes of the older kind send 1.0 with everything
  const auto answer = rig.ask(send_0_3("s"), version);
  CHECK(json_at(answer, "result.kind") == "task");
  CHECK(json_at(answer, "result.status.state") == "completed");
  CHECK(json_at(answer, "result.artifacts.0.parts.0.kind") == "text");
  CHECK(json_at(answer, "result.history.0.role") == "user");
  const auto id = json_at(answer, "result.id");
  CHECK(json_at(rig.ask(call("tasks/get", R"({"id":")" + id + "\"}"), version), "result.id") == id);
  CHECK(json_at(rig.ask(call("tasks/get", R"({"id":"x"})"), version), "error.code") == "-32001");
  const auto stream = rig.post(send_0_3("s", "message/stream"), version);
  CHECK(stream->complete);
  const auto events = stream->events();
  REQUIRE(events.size() == 4);
  CHECK(json_at(events[0], "result.kind") == "task");
  CHECK(json_at(events[1], "result.kind") == "status-update");
  CHECK(json_at(events[1], "result.final") == "false");
  CHECK(json_at(events[2], "result.kind") == "artifact-update");
  CHECK(json_at(events[3], "result.status.state") == "completed");
  CHECK(json_at(events[3], "result.final") == "true");
}

TEST_CASE("A2A agent: a stream tells every step as it happens, the service's progress too") {
  AgentRig rig;
  rig.add_held("s");
  const auto stream = rig.post(send_1_0("s", "SendStreamingMessage"));
  auto events = stream->events();
  REQUIRE(events.size() == 2);
  CHECK(json_at(events[0], "result.task.status.state") == "TASK_STATE_SUBMITTED");
  CHECK(json_at(events[1], "result.statusUpdate.status.state") == "TASK_STATE_WORKING");
  CHECK(json_at(events[1], "result.statusUpdate.status.message.parts.0.text") == "Processing MCP request...");
  CHECK_FALSE(json_at(as_text(rig.requests.at(0).body), "params._meta.progressToken").empty());
  auto& reply = rig.replies.at(0);
  reply.start(200, {{"Content-Type", "text/event-stream"}});
  reply.write(to_bytes(
      R"(data: {"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1,"total":3,"message":"one"}})"
      "\n\n"));
  rig.loop.run();
  events = stream->events();
  REQUIRE(events.size() == 3);
  CHECK(json_at(events[2], "result.statusUpdate.status.message.parts.0.text") == "1/3 one");
  CHECK_FALSE(stream->complete);
  rig.loop.advance(20s);
  CHECK(stream->body.find(": keep-alive") != std::string::npos);
  reply.write(to_bytes("data: {\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}}\n\n"));
  rig.loop.run();
  events = stream->events();
  REQUIRE(events.size() == 5);
  CHECK_FALSE(json_at(events[3], "result.artifactUpdate.artifact.artifactId").empty());
  CHECK(json_at(events[4], "result.statusUpdate.status.state") == "TASK_STATE_COMPLETED");
  CHECK(stream->complete);
}

TEST_CASE("A2A agent: cancelling a task cuts the call; all who wait hear of it") {
  AgentRig rig;
  rig.add_held("s");
  const auto stream = rig.post(send_1_0("s", "SendStreamingMessage"));
  const auto id = json_at(stream->events().at(0), "result.task.id");
  const auto other = rig.post(call("SubscribeToTask", R"({"id":")" + id + "\"}"));
  CHECK(json_at(other->events().at(0), "result.task.status.state") == "TASK_STATE_WORKING");
  CHECK(rig.replies.at(0).connected());
  const auto params = R"({"id":")" + id + "\"}";
  CHECK(json_at(rig.ask(call("CancelTask", params), "1.0", 2), "error.code") == "-32001");
  CHECK(json_at(rig.ask(call("CancelTask", params)), "result.status.state") == "TASK_STATE_CANCELED");
  CHECK_FALSE(rig.replies.at(0).connected());
  CHECK(json_at(stream->events().back(), "result.statusUpdate.status.state") == "TASK_STATE_CANCELED");
  CHECK(stream->complete);
  CHECK(other->complete);
  CHECK(json_at(rig.ask(call("CancelTask", params)), "error.code") == "-32002");
  CHECK(json_at(rig.ask(call("SubscribeToTask", params)), "error.code") == "-32004");
  CHECK(json_at(rig.ask(call("GetTask", params)), "result.status.state") == "TASK_STATE_CANCELED");
}

TEST_CASE("A2A agent: a client that does not wait asks later; one that goes leaves the task running") {
  AgentRig rig;
  rig.add_held("s");
  const auto answer = rig.ask(send_1_0("s", "SendMessage", R"({"returnImmediately":true,"historyLength":0})"));
  CHECK(json_at(answer, "result.task.status.state") == "TASK_STATE_WORKING");
  CHECK(json_at(answer, "result.task.history").empty());
  const auto waiting = rig.post(send_1_0("s"));
  CHECK_FALSE(waiting->complete);
  waiting->vanish();
  rig.loop.run();
  CHECK(rig.agent->running() == 2);
  for (auto& reply : rig.replies) answer_five({}, std::move(reply));
  rig.loop.run();
  const auto params = R"({"id":")" + json_at(answer, "result.task.id") + "\"}";
  CHECK(json_at(rig.ask(call("GetTask", params)), "result.status.state") == "TASK_STATE_COMPLETED");
  CHECK(json_at(rig.ask(call("GetTask", params), "1.0", 2), "error.code") == "-32001");
}

TEST_CASE("A2A agent: a caller's requests under way are bounded in bytes, those of running tasks too") {
  AgentRig rig;  // with 64 MiB for all, a quarter of them for one caller
  rig.add_held("s");
  const auto request = R"({"service":"s","request":{"jsonrpc":"2.0","id":5,"method":"m","params":")" +
                       std::string(5UL * 1024 * 1024, 'x') + "\"}}";
  const auto send = [&](int caller) {
    return rig.ask(call("SendMessage", R"({"message":{"messageId":"m","role":"ROLE_USER","parts":[{"text":)" +
                                           mcp::json::quote(request) +
                                           R"(}]},"configuration":{"returnImmediately":true}})"),
                   "1.0", caller);
  };
  const auto state = [](const std::string& answer) { return json_at(answer, "result.task.status.state"); };
  CHECK(state(send(1)) == "TASK_STATE_WORKING");
  CHECK(state(send(1)) == "TASK_STATE_WORKING");
  const auto held = rig.budget.used();
  CHECK(held > 10UL * 1024 * 1024);
  CHECK(rig.post(std::string(7UL * 1024 * 1024, ' '))->head.status == 503);  // the body itself finds no room
  CHECK(rig.budget.used() == held);
  CHECK(state(send(2)) == "TASK_STATE_WORKING");
  for (auto& reply : rig.replies) reply.respond_json(R"({"jsonrpc":"2.0","id":5,"result":{}})");
  rig.loop.run();
  CHECK(rig.budget.used() == 0);
  CHECK(state(send(1)) == "TASK_STATE_WORKING");
}

TEST_CASE("A2A agent: what cannot be done fails the task, with the reason") {
  AgentRig rig;
  rig.add("closed", answer_five, {.everyone = false, .allow = {key_of(2)}});
  rig.add("broken", [](ServiceRequest, ServiceReply reply) { reply.respond(503, {}, {}); });
  const auto reason = [&rig](std::string body) {
    const auto answer = rig.ask(std::move(body));
    CHECK(json_at(answer, "result.task.status.state") == "TASK_STATE_FAILED");
    return json_at(answer, "result.task.status.message.parts.0.text");
  };
  CHECK(reason(send_1_0("none")) == "Error: Service not found: none");
  CHECK(reason(send_1_0("closed")) == "Error: Service not found: closed");
  CHECK(reason(send_1_0("broken")) == "Error: Service error: 503");
  CHECK(reason(call("SendMessage", R"({"message":{"messageId":"m","role":"ROLE_USER","parts":[{"text":"hello"}]}})")) ==
        "Error: The message is not JSON");
}

TEST_CASE("A2A agent: an error that the service answers is the answer of a completed task") {
  AgentRig rig;
  rig.add("s", [](ServiceRequest, ServiceReply reply) {
    reply.respond_json(R"({"jsonrpc":"2.0","id":5,"error":{"code":-32601,"message":"no such tool"}})");
  });
  const auto answer = rig.ask(send_1_0("s"));
  CHECK(json_at(answer, "result.task.status.state") == "TASK_STATE_COMPLETED");
  CHECK(json_at(answer, "result.task.artifacts.0.parts.1.data.error.code") == "-32601");
  CHECK(json_at(answer, "result.task.artifacts.0.parts.0.text").find("no such tool") != std::string::npos);
}

TEST_CASE("A2A agent: a request without a service's name goes to the only one there is") {
  AgentRig rig;
  const auto bare =
      call("SendMessage", R"({"message":{"messageId":"m","role":"ROLE_USER","parts":[{"text":)" +
                              mcp::json::quote(R"({"jsonrpc":"2.0","id":5,"method":"tools/list"})") + "}]}}");
  const auto ask = [&] {
    const auto answer = rig.ask(bare);
    return json_at(answer, "result.task.status.state") + " " +
           json_at(answer, "result.task.status.message.parts.0.text");
  };
  const std::string unnamed = "TASK_STATE_FAILED Error: No 'service' in the message";
  CHECK(ask() == unnamed);
  rig.add("not yours", answer_five, {.everyone = false, .allow = {key_of(2)}});
  CHECK(ask() == unnamed);
  rig.add("one", answer_five);
  CHECK(ask() == "TASK_STATE_COMPLETED ");
  rig.add("two", answer_five);
  CHECK(ask() == unnamed);
}

TEST_CASE("A2A agent: a service that is down stays a skill, and its tasks fail with the reason") {
  AgentRig rig;
  rig.add("s", [](ServiceRequest, ServiceReply reply) { reply.respond(500, {}, {}); });
  CHECK(json_at(rig.ask(send_1_0("s")), "result.task.status.message.parts.0.text") == "Error: Service error: 500");
  rig.table.set_healthy("s", false);
  CHECK(json_at(rig.get("/.well-known/agent-card.json")->body, "skills.0.id") == "s");
}

TEST_CASE("A2A agent: lists are of the caller's own tasks, the last changed first, in pages") {
  AgentRig rig;
  rig.add("s", answer_five);
  Lines ids;
  for (int i = 0; i < 5; ++i) ids.insert(ids.begin(), json_at(rig.ask(send_1_0("s")), "result.task.id"));
  rig.ask(send_1_0("s"), "1.0", 2);
  const auto first = rig.ask(call("ListTasks", R"({"pageSize":3})"));
  CHECK(json_at(first, "result.totalSize") == "5");
  CHECK(json_at(first, "result.pageSize") == "3");
  CHECK(json_at(first, "result.tasks.0.artifacts").empty());
  for (std::size_t i = 0; i < 3; ++i) CHECK(json_at(first, "result.tasks." + std::to_string(i) + ".id") == ids[i]);
  const auto token = json_at(first, "result.nextPageToken");
  const auto second = rig.ask(call("ListTasks", R"({"pageSize":3,"pageToken":")" + token + "\"}"));
  CHECK(json_at(second, "result.tasks.0.id") == ids[3]);
  CHECK(json_at(second, "result.tasks.1.id") == ids[4]);
  CHECK(json_at(second, "result.nextPageToken").empty());
  const auto total = [&rig](std::string_view params) {
    return json_at(rig.ask(call("ListTasks", params)), "result.totalSize");
  };
  CHECK(total(R"({"status":"TASK_STATE_FAILED"})") == "0");
  CHECK(total(R"({"contextId":"ctx"})") == "5");
  CHECK(total(R"({"contextId":"other"})") == "0");
  CHECK(total(R"({"statusTimestampAfter":"2033-01-01T00:00:00Z"})") == "0");
  CHECK(json_at(rig.ask(call("ListTasks", R"({"pageSize":0})")), "error.code") == "-32602");
}

TEST_CASE("A2A agent: wrong calls get the codes of the protocol") {
  AgentRig rig;
  const auto code = [&rig](std::string body, std::string_view version = "1.0") {
    return json_at(rig.ask(std::move(body), version), "error.code");
  };
  CHECK(code("{") == "-32700");
  CHECK(code("[]") == "-32600");
  CHECK(code(R"({"jsonrpc":"1.0","id":1,"method":"GetTask"})") == "-32600");
  CHECK(code(call("Nothing", "{}")) == "-32601");
  CHECK(code(call("nothing/at", "{}"), "") == "-32601");
  CHECK(code(call("GetTask", "{}")) == "-32602");
  CHECK(code(call("GetTask", "[]")) == "-32602");
  CHECK(code(call("GetTask", R"({"id":"x"})"), "") == "-32009");
  CHECK(code(call("GetTask", R"({"id":"x"})"), "2.0") == "-32009");
  CHECK(code(call("CreateTaskPushNotificationConfig", "{}")) == "-32003");
  CHECK(code(call("tasks/pushNotificationConfig/set", "{}"), "") == "-32003");
  CHECK(code(call("GetExtendedAgentCard", "{}")) == "-32004");
  CHECK(code(call("SendMessage", R"({"message":{"messageId":"m","role":"ROLE_USER","parts":[{"url":"x"}]}})")) ==
        "-32005");
  const auto error = rig.ask(call("GetTask", R"({"id":"x"})"));
  CHECK(json_at(error, "error.data.0.reason") == "TASK_NOT_FOUND");
  CHECK(rig.get("/")->head.status == 405);
  CHECK(rig.get("/other")->head.status == 404);
}

TEST_CASE("A2A agent: whoever kept the way to it is told when it is gone") {
  AgentRig rig;
  rig.add_held("s");
  const auto stream = rig.post(send_1_0("s", "SendStreamingMessage"));
  const auto backend = rig.agent->backend();
  rig.agent.reset();
  rig.loop.run();
  CHECK(stream->failed);
  CHECK_FALSE(rig.replies.at(0).connected());
  TestRequest late{backend, key_of(1), "GET", "/.well-known/agent-card.json", {}, ""};
  rig.loop.run();
  CHECK(late.head.status == 503);
}
