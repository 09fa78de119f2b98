// `/health`, `/metrics` and `/peers`: what they say, and what they refuse.
#include <catch2/catch_test_macros.hpp>
#include <sstream>

#include "bridge/known_nodes_json.hpp"
#include "test_mesh.hpp"

using namespace std::chrono_literals;
using namespace axl;
using axl::test::Answer;
using axl::test::HttpUser;
using axl::test::key_of;
using axl::test::TestMesh;

namespace {

struct Fixture {
  TestMesh mesh;
  axl::test::TestNode& a = mesh.add(1);
  axl::test::TestNode& b = mesh.add(2);
  HttpUser user{mesh, a};
  std::string id = key_of(9).to_hex();

  KnownNode& know(unsigned char number) {
    auto& node = a.nodes[key_of(number)];
    node.key = key_of(number);
    node.address = Address::of(node.key);
    return node;
  }
};

void check_text(const Answer& answer, int status, std::string_view text) {
  CHECK(answer.status == status);
  CHECK(answer.body == std::string{text} + "\n");
  CHECK(answer.header("Content-Type") == "text/plain; charset=utf-8");
}

// The value of a series as it stands in the text; empty: there is none.
std::string value_of(const std::string& text, const std::string& series) {
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(series + " ")) return line.substr(series.size() + 1);
  }
  return {};
}

}  // namespace

TEST_CASE("metrics: a sample is its name, its labels and its value", "[bridge]") {
  Statistics s;
  s.uptime = 1500ms;
  s.inbound = {.up = 2, .established = 3, .rx_bytes = 18'446'744'073'709'551'615U, .tx_bytes = 5, .dropped_packets = 6};
  s.queue.refused_share = 7;
  s.topics = {{"", 1}, {"a\"b\\c\nd", 2}};
  s.requests = {{"local", "/send", {0, 4, 0, 1, 0}}};
  ServiceInfo weather;
  weather.name = "weather";
  weather.healthy = false;
  weather.use = {10, 2, 1};
  s.services = {weather};
  s.agent = {5, 1, 0};
  s.process = Statistics::Process{1.25, 4096, 12, 1024};
  const auto text = prometheus_text(s);
  CHECK(text.starts_with("# HELP axl_build_info 1, with the version of this node.\n"
                         "# TYPE axl_build_info gauge\n"
                         "axl_build_info{version=\"0.1.0\"} 1\n"
                         "# HELP axl_uptime_seconds Time since the node was made.\n"
                         "# TYPE axl_uptime_seconds gauge\n"
                         "axl_uptime_seconds 1.500\n"
                         "# HELP axl_links Links that are up.\n"
                         "# TYPE axl_links gauge\n"
                         "axl_links{direction=\"inbound\"} 2\n"
                         "axl_links{direction=\"outbound\"} 0\n"));
  CHECK(value_of(text, "axl_link_received_bytes_total{direction=\"inbound\"}") == "18446744073709551615");
  CHECK(value_of(text, "axl_messages_refused_total{reason=\"share\"}") == "7");
  CHECK(value_of(text, "axl_receive_queue_topic_messages{topic=\"\"}") == "1");
  CHECK(value_of(text, "axl_receive_queue_topic_messages{topic=\"a\\\"b\\\\c\\nd\"}") == "2");
  CHECK(value_of(text, "axl_http_requests_total{api=\"local\",route=\"/send\",code=\"2xx\"}") == "4");
  CHECK(value_of(text, "axl_http_requests_total{api=\"local\",route=\"/send\",code=\"5xx\"}") == "0");
  CHECK(value_of(text, "axl_service_failures_total{service=\"weather\"}") == "2");
  CHECK(value_of(text, "axl_service_healthy{service=\"weather\"}") == "0");
  CHECK(value_of(text, "axl_backend_requests_total{kind=\"agent\"}") == "5");
  CHECK(value_of(text, "process_cpu_seconds_total") == "1.250");
  CHECK(text.ends_with("process_max_fds 1024\n"));
}

TEST_CASE("metrics: every sample stands below the type of its metric, and none twice", "[bridge]") {
  std::istringstream lines{prometheus_text({})};
  std::set<std::string> metrics;
  std::set<std::string> series;
  std::string metric;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words{line};
    std::string first;
    std::string second;
    std::string name;
    std::string type;
    words >> first >> second;
    if (first == "#" && second == "TYPE") {
      words >> name >> type;
      CHECK(name == metric);
      CHECK((type == "counter") == name.ends_with("_total"));
      continue;
    }
    if (first == "#") {
      words >> metric;
      CHECK(metrics.insert(metric).second);
      continue;
    }
    CHECK(first.substr(0, first.find('{')) == metric);
    CHECK(series.insert(first).second);
  }
  CHECK(metrics.size() > 40);
}

TEST_CASE_METHOD(Fixture, "metrics: counts what happens here", "[bridge]") {
  user.send(b.our_key(), "one");
  HttpUser user_b{mesh, b};
  CHECK(user_b.ask("GET", "/recv?topic=jobs").status == 204);
  user.send(b.our_key(), "two", {{"X-Axl-Topic", "jobs"}});
  user.send(b.our_key(), "three", {{"X-Axl-Topic", "unread"}});
  CHECK(user_b.ask("GET", "/nowhere").status == 404);
  CHECK(user_b.ask("GET", "/topology", {{"Host", "evil.example"}}).status == 403);
  HttpUser peer{mesh, b, a.our_key()};
  CHECK(peer.ask("GET", "/services").status == 200);
  const auto answer = user_b.ask("GET", "/metrics");
  CHECK(answer.status == 200);
  CHECK(answer.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
  const auto& text = answer.body;
  CHECK(value_of(text, "axl_receive_queue_messages") == "3");
  CHECK(value_of(text, "axl_messages_accepted_total") == "3");
  CHECK(value_of(text, "axl_receive_queue_topic_messages{topic=\"\"}") == "1");
  CHECK(value_of(text, "axl_receive_queue_topic_messages{topic=\"jobs\"}") == "1");
  CHECK(text.find("unread") == std::string::npos);
  CHECK(value_of(text, "axl_http_requests_total{api=\"local\",route=\"/recv\",code=\"2xx\"}") == "1");
  CHECK(value_of(text, "axl_http_requests_total{api=\"local\",route=\"other\",code=\"4xx\"}") == "2");
  CHECK(value_of(text, "axl_http_requests_total{api=\"peer\",route=\"/messages\",code=\"2xx\"}") == "3");
  CHECK(value_of(text, "axl_http_requests_total{api=\"peer\",route=\"/services\",code=\"2xx\"}") == "1");
  CHECK(value_of(text, "axl_peer_connections_accepted_total{port=\"http\"}") == "4");  // three of messages, by their topics
  CHECK(value_of(text, "axl_local_connections") == "1");
  const auto head = user_b.ask("HEAD", "/metrics");
  CHECK(head.status == 200);
  CHECK(head.body.empty());
}

TEST_CASE_METHOD(Fixture, "health: says that the node is there", "[bridge]") {
  a.neighbours.resize(2);
  a.neighbours[0].up = true;
  mesh.loop.advance(5s);
  const auto answer = user.ask("GET", "/health");
  CHECK(answer.status == 200);
  CHECK(answer.header("Content-Type") == "application/json");
  CHECK(answer.body == "{\"status\":\"ok\",\"version\":\"0.1.0\",\"uptime_s\":5,\"peers_up\":1}\n");
  CHECK(user.ask("HEAD", "/health").status == 200);
  const auto post = user.ask("POST", "/health");
  check_text(post, 405, "Method not allowed");
  CHECK(post.header("Allow") == "GET, HEAD");
}

TEST_CASE("peers: a node is one JSON object", "[bridge]") {
  KnownNode node;
  node.key = key_of(9);
  node.address = Address::of(node.key);
  const auto beginning = R"({"public_key":")" + node.key.to_hex() + R"(","address":")" + node.address.to_string() + '"';
  CHECK(bridge::known_node_json(node) ==
        beginning + R"(,"link":false,"path":false,"coords":null,"session":null,"latency_ms":null,"old":false})");
  node.link = node.path = node.old = true;
  node.coords = {1, 300};
  node.session = KnownNode::Session{10, 20, 90s};
  node.latency = 1'234'567ns;
  CHECK(bridge::known_node_json(node) ==
        beginning + R"(,"link":true,"path":true,"coords":[1,300],"session":{"rx_bytes":10,"tx_bytes":20,"uptime_s":90})" +
            R"(,"latency_ms":1.235,"old":true})");
  CHECK(bridge::known_nodes_json({}, {}) == "{\"count\":0,\"next\":null,\"peers\":[]}\n");
}

TEST_CASE_METHOD(Fixture, "peers: the list comes in parts", "[bridge]") {
  for (unsigned char number = 10; number < 15; ++number) know(number).path = true;
  const auto keys_of = [](const std::string& body) {
    std::vector<std::string> keys;
    const std::string member = "\"public_key\":\"";
    for (auto at = body.find(member); at != std::string::npos; at = body.find(member, at + 1)) {
      keys.push_back(body.substr(at + member.size(), 64));
    }
    return keys;
  };
  const auto all = keys_of(user.ask("GET", "/peers").body);
  REQUIRE(all.size() == 5);
  const auto first = user.ask("GET", "/peers?limit=3").body;
  CHECK(keys_of(first) == std::vector(all.begin(), all.begin() + 3));
  CHECK(first.starts_with("{\"count\":3,\"next\":\"" + all[2] + "\""));
  const auto rest = user.ask("GET", "/peers?limit=3&after=" + all[2]).body;
  CHECK(keys_of(rest) == std::vector(all.begin() + 3, all.end()));
  CHECK(rest.starts_with("{\"count\":2,\"next\":null,"));
  for (const auto* bad : {"limit=0", "limit=10001", "limit=-1", "limit=x", "limit=5x", "limit="}) {
    check_text(user.ask("GET", std::string{"/peers?"} + bad), 400, "Invalid limit: it must be 1 to 10000");
  }
  check_text(user.ask("GET", "/peers?after=12"), 400, "Invalid after: it must be a peer ID");
}

TEST_CASE_METHOD(Fixture, "peers: one of them, or none", "[bridge]") {
  know(9).link = true;
  const auto known = user.ask("GET", "/peers/" + id);
  CHECK(known.status == 200);
  CHECK(known.body == bridge::known_node_json(a.nodes.at(key_of(9))) + "\n");
  check_text(user.ask("GET", "/peers/" + key_of(8).to_hex()), 404, "This peer is not known");
  check_text(user.ask("GET", "/peers/xyz"), 400, "Invalid peer ID");
  check_text(user.ask("GET", "/peers/" + id + "/what"), 404, "404 page not found");
  check_text(user.ask("GET", "/peers/" + id + "/ping/x"), 404, "404 page not found");
  auto wrong = user.ask("POST", "/peers/" + id);
  check_text(wrong, 405, "Method not allowed");
  CHECK(wrong.header("Allow") == "GET, HEAD");
  wrong = user.ask("GET", "/peers/" + id + "/ping");
  CHECK(wrong.status == 405);
  CHECK(wrong.header("Allow") == "POST");
  wrong = user.ask("PUT", "/peers");
  CHECK(wrong.status == 405);
  CHECK(wrong.header("Allow") == "GET, HEAD, POST, DELETE");
}

TEST_CASE_METHOD(Fixture, "peers: a ping says how long it took, or why there is none", "[bridge]") {
  a.round_trips.insert_or_assign(key_of(9), Result<Duration>{12'500us});
  const auto answer = user.ask("POST", "/peers/" + id + "/ping");
  CHECK(answer.status == 200);
  CHECK(answer.header("Content-Type") == "application/json");
  CHECK(answer.body == "{\"latency_ms\":12.500}\n");
  a.round_trips.insert_or_assign(key_of(9), Result<Duration>{Error{Errc::timed_out, "no answer"}});
  check_text(user.ask("POST", "/peers/" + id + "/ping"), 504, "no response from peer: i/o timeout");
  a.round_trips.insert_or_assign(key_of(9), Result<Duration>{Error{Errc::key_mismatch, "peer key mismatch"}});
  check_text(user.ask("POST", "/peers/" + id + "/ping"), 502, "Failed to reach peer: peer key mismatch");
  const auto begun = mesh.loop.now();
  check_text(user.ask("POST", "/peers/" + key_of(8).to_hex() + "/ping"), 502,
             "Failed to reach peer: operation timed out");
  CHECK(mesh.loop.now() - begun == 30s);
  check_text(user.ask("POST", "/peers/zz/ping"), 400, "Invalid peer ID");
}

TEST_CASE_METHOD(Fixture, "peers: pings under way are bounded", "[bridge]") {
  std::vector<std::unique_ptr<HttpUser>> users;
  std::vector<std::shared_ptr<Answer>> answers;
  for (int i = 0; i < 257; ++i) {
    users.push_back(std::make_unique<HttpUser>(mesh, a));
    answers.push_back(users.back()->begin("POST", "/peers/" + id + "/ping"));
  }
  mesh.loop.run_until([&] {
    return std::ranges::all_of(answers, [](const auto& answer) { return answer->status != 0; });
  });
  CHECK(std::ranges::count(answers, 503, [](const auto& answer) { return answer->status; }) == 1);
  CHECK(std::ranges::count(answers, 502, [](const auto& answer) { return answer->status; }) == 256);
  a.round_trips.insert_or_assign(key_of(9), Result<Duration>{1ms});
  CHECK(user.ask("POST", "/peers/" + id + "/ping").status == 200);
}

TEST_CASE_METHOD(Fixture, "peers: links are added and removed while the node runs", "[bridge]") {
  const auto added = user.ask("POST", "/peers", {}, R"({"uri":"tls://10.0.0.1:9001?password=secret"})");
  CHECK(added.status == 201);
  CHECK(added.body == "{\"uri\":\"tls://10.0.0.1:9001\"}\n");
  CHECK(a.dialled.contains("tls://10.0.0.1:9001?password=secret"));
  check_text(user.ask("POST", "/peers", {}, R"({"uri":"tls://10.0.0.1:9001?password=secret"})"), 409,
             "This peer is being dialled already");
  check_text(user.ask("POST", "/peers", {}, R"({"uri":"nonsense"})"), 400, "Invalid peer URI: no scheme");
  CHECK(user.ask("POST", "/peers?uri=tcp%3A%2F%2F10.0.0.2%3A1").status == 201);
  CHECK(user.ask("DELETE", "/peers?uri=tcp://10.0.0.2:1").status == 204);
  check_text(user.ask("DELETE", "/peers?uri=tcp://10.0.0.2:1"), 404, "No such peer is being dialled");
  CHECK(user.ask("DELETE", "/peers", {}, R"({"uri":"tls://10.0.0.1:9001?password=secret"})").status == 204);
  CHECK(a.dialled.empty());
}

TEST_CASE_METHOD(Fixture, "peers: what is no peer to dial", "[bridge]") {
  const std::string missing = R"(Missing uri: a body of {"uri":"tls://host:port"}, or ?uri=)";
  for (const auto* method : {"POST", "DELETE"}) {
    check_text(user.ask(method, "/peers"), 400, missing);
    check_text(user.ask(method, "/peers", {}, "{}"), 400, missing);
    check_text(user.ask(method, "/peers", {}, R"({"uri":""})"), 400, missing);
    for (const auto* body : {"[]", "\"tls://x:1\"", "{", "tls://x:1"}) {
      check_text(user.ask(method, "/peers", {}, body), 400, "The body is no JSON object");
    }
    for (const auto* body : {R"({"uri":1})", R"({"uri":null})", R"({"uri":"tls://x:1","interface":5})"}) {
      check_text(user.ask(method, "/peers", {}, body), 400, "uri and interface must be strings");
    }
    CHECK(user.ask(method, "/peers", {}, std::string(64 * 1024 + 1, ' ')).status == 413);
  }
  CHECK(a.dialled.empty());
}
