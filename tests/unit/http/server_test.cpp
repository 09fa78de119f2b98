#include "http/server.hpp"

#include <catch2/catch_test_macros.hpp>

#include "http/routes.hpp"
#include "server_rig.hpp"
#include "vectors.hpp"

using namespace axl;
using namespace axl::test;
using http::Exchange;

namespace {

// The API as far as the recorded raw probes touch it: an empty queue, and a sink that counts.
void small_api(Exchange exchange) {
  static const auto routes = [] {
    http::Routes made;
    made.add("/recv", {"GET"}, [](Exchange e) { e.respond(204, {}, Buffer{}); });
    made.add("/send", {"POST"}, [](Exchange e) {
      std::move(e).collect({}, [](Exchange answer, Buffer body) {
        if (answer.request().headers.get("X-Destination-Peer-Id").value_or("").size() != 64) {
          answer.respond_error(400, "Invalid destination peer ID");
          return;
        }
        answer.respond(200,
                       {{"Content-Type", "application/octet-stream"}, {"X-Sent-Bytes", std::to_string(body.size())}},
                       Buffer{});
      });
    });
    made.add("/topology", {}, [](Exchange e) { e.respond(200, {}, Buffer::copy_of(as_bytes("{}\n"))); });
    made.add("/mcp/", {}, [](Exchange e) { e.respond_error(501, "not here"); });
    return made;
  }();
  routes.serve(std::move(exchange));
}

struct Answer {
  int status = 0;
  std::string version;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// Cuts a recorded or real byte stream into its answers.
std::vector<Answer> answers(std::string text) {
  std::vector<Answer> all;
  while (!text.empty()) {
    const auto head_end = text.find("\r\n\r\n");
    REQUIRE(head_end != std::string::npos);
    Answer answer;
    answer.version = text.substr(0, 8);
    answer.status = std::stoi(text.substr(9, 3));
    std::size_t length = std::string::npos;
    for (auto at = text.find("\r\n") + 2; at < head_end;) {
      const auto end = text.find("\r\n", at);
      const auto colon = text.find(": ", at);
      answer.headers.emplace_back(text.substr(at, colon - at), text.substr(colon + 2, end - colon - 2));
      if (answer.headers.back().first == "Content-Length") length = std::stoul(answer.headers.back().second);
      at = end + 2;
    }
    text.erase(0, head_end + 4);
    const bool closes = answer.status >= 400 && length == std::string::npos;
    answer.body = text.substr(0, closes ? text.size() : length == std::string::npos ? 0 : length);
    text.erase(0, answer.body.size());
    all.push_back(answer);
  }
  return all;
}

}  // namespace

TEST_CASE("server: the raw probes of the reference get the same statuses, bodies and ends", "[http]") {
  simdjson::dom::array probes = load_vectors("bridge/probes.json")["probes"];
  int used = 0;
  for (const auto probe : probes) {
    if (text(probe["group"]) != "http_raw") continue;
    const std::string name{text(probe["name"])};
    INFO(name);
    std::string request{text(probe["request"]["raw"])};
    if (name == "http.big_header") request = "GET /recv HTTP/1.1\r\nHost: x\r\nX-A: " + std::string(1 << 21, 'a');
    std::string recorded{text(probe["response"]["raw"])};
    const bool ends = recorded.ends_with("<EOF>");
    recorded.erase(recorded.rfind('<'));
    const auto wanted = answers(recorded);
    for (const std::size_t piece : {1U, 3U, 17U, 65536U}) {
      if (request.size() > 10'000 && piece < 1000) continue;
      ServerRig rig{small_api};
      auto& client = rig.connect({.max_piece = piece});
      client.send(request);
      rig.run();
      CHECK(client.ended == ends);
      const auto got = answers(client.take());
      REQUIRE(got.size() == wanted.size());
      for (std::size_t i = 0; i < got.size(); ++i) {
        CHECK(got[i].status == wanted[i].status);
        CHECK(got[i].version == wanted[i].version);
        CHECK(got[i].body == wanted[i].body);
        for (const auto& header : wanted[i].headers) {
          if (header.first == "Date") continue;
          CHECK(std::find(got[i].headers.begin(), got[i].headers.end(), header) != got[i].headers.end());
        }
      }
    }
    ++used;
  }
  CHECK(used == 9);
}

TEST_CASE("server: routing answers as the recorded probes, with 301 for the redirects", "[http]") {
  ServerRig rig{small_api};
  const auto get = [&](std::string_view path, std::string_view method = "GET") {
    return rig.ask(std::string{method} + " " + std::string{path} + " HTTP/1.1\r\nHost: x\r\n\r\n");
  };
  CHECK(get("/") ==
        "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "X-Content-Type-Options: nosniff\r\nContent-Length: 19\r\n\r\n404 page not found\n");
  CHECK(body_of(get("/topology/")) == "404 page not found\n");
  CHECK(get("/mcp") ==
        "HTTP/1.1 301 Moved Permanently\r\nLocation: /mcp/\r\nContent-Type: text/html; charset=utf-8\r\n"
        "Content-Length: 40\r\n\r\n<a href=\"/mcp/\">Moved Permanently</a>.\n\n");
  CHECK(get("/mcp", "POST") == "HTTP/1.1 301 Moved Permanently\r\nLocation: /mcp/\r\nContent-Length: 0\r\n\r\n");
  CHECK(get("//topology?a=b").find("\r\nLocation: /topology?a=b\r\n") != std::string::npos);
  CHECK(get("/x/../mcp//svc").find("\r\nLocation: /mcp/svc\r\n") != std::string::npos);
  CHECK(body_of(get("/mcp/%2e%2e/x")) == "not here\n");
  CHECK(get("/send").starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
  CHECK(get("/send").find("\r\nAllow: POST\r\n") != std::string::npos);
  CHECK(body_of(get("/send")) == "Method not allowed\n");
  CHECK(body_of(get("/send", "HEAD")).empty());
  CHECK(get("/send", "HEAD").find("\r\nContent-Length: 19\r\n") != std::string::npos);
  CHECK(get("*", "OPTIONS").starts_with("HTTP/1.1 404"));
  CHECK(get("host:1", "CONNECT").starts_with("HTTP/1.1 404"));
}

TEST_CASE("server: pipelined requests are answered in order at every fragmentation", "[http]") {
  std::string input;
  std::string wanted;
  for (int i = 0; i < 20; ++i) {
    const auto body = std::string(static_cast<std::size_t>(i) * 37, static_cast<char>('a' + i));
    const auto path = "/" + std::to_string(i);
    const auto text = "POST " + path + " " + body;
    input += "POST " + path + " HTTP/1.1\r\nHost: x\r\n";
    if (i % 2 == 0) {
      input += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    } else {
      std::array<char, 16> size{};
      std::snprintf(size.data(), size.size(), "%zx", body.size());
      input += "Transfer-Encoding: chunked\r\n\r\n" + std::string{size.data()} + "\r\n" + body + "\r\n0\r\n\r\n";
    }
    wanted += "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text;
  }
  for (std::size_t piece = 1; piece < 3000; piece = piece * 3 / 2 + 1) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      ServerRig rig{echo};
      INFO("seed " << seed << ", piece " << piece);
      CHECK(rig.ask(input, {.seed = seed, .max_piece = piece}) == wanted);
    }
  }
}

TEST_CASE("server: answers given later still come in the order of their requests", "[http]") {
  std::vector<Exchange> kept;
  ServerRig rig{[&](Exchange exchange) { kept.push_back(std::move(exchange)); }};
  auto& client = rig.connect();
  client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
  rig.run();
  REQUIRE(kept.size() == 1);  // the second waits for the first
  rig.advance(300s);          // however long it takes
  kept[0].respond(200, {}, Buffer::copy_of(as_bytes("one")));
  REQUIRE(kept.size() == 1);  // no request within a call of ours
  rig.run();
  REQUIRE(kept.size() == 2);
  CHECK(client.take() == "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none");
  kept[1].respond_error(404, "none");
  rig.run();
  CHECK(body_of(client.take()) == "none\n");
  CHECK(rig.server->answering() == 0);
}

TEST_CASE("server: HTTP/1.0 closes unless asked to keep alive", "[http]") {
  ServerRig rig{echo};
  auto& plain = rig.connect();
  plain.send("GET /a HTTP/1.0\r\n\r\n");
  auto& kept = rig.connect();
  kept.send("GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\nGET /b HTTP/1.0\r\n\r\n");
  rig.run();
  CHECK(plain.take() == "HTTP/1.0 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nGET /a ");
  CHECK(plain.ended);
  CHECK(kept.take() ==
        "HTTP/1.0 200 OK\r\nContent-Length: 7\r\nConnection: keep-alive\r\n\r\nGET /a "
        "HTTP/1.0 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nGET /b ");
  CHECK(kept.ended);
}

TEST_CASE("server: Connection: close ends the connection after the answer, what follows is not read", "[http]") {
  int requests = 0;
  ServerRig rig{[&](Exchange exchange) {
    ++requests;
    echo(std::move(exchange));
  }};
  auto& client = rig.connect();
  client.send("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  rig.run();
  CHECK(client.take() == "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nGET /a ");
  CHECK(client.ended);
  CHECK(requests == 1);
  client.stream->close();
  rig.run();
  CHECK(rig.server->connections() == 0);
}

TEST_CASE("server: a client that only shuts its sending side still gets its answer", "[http]") {
  ServerRig rig{echo};
  auto& client = rig.connect({.max_piece = 2});
  client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
  client.stream->shutdown_send();
  rig.run();
  CHECK(body_of(client.take()) == "POST /a hi");
  CHECK(client.closed);
  CHECK_FALSE(client.reset);
  CHECK(rig.server->connections() == 0);
}

TEST_CASE("server: HEAD has the headers of GET and no body, so the next answer is in place", "[http]") {
  ServerRig rig{[](Exchange exchange) {
    if (exchange.request().target.path() == "/peek") {
      exchange.respond(200, {{"Content-Length", "77"}}, Buffer{});
    } else if (exchange.request().target.path() == "/stream") {
      exchange.start(200, {});
      exchange.write(Buffer::copy_of(as_bytes("abc")));
      exchange.finish();
    } else {
      exchange.respond(200, {}, Buffer::copy_of(as_bytes("body")));
    }
  }};
  CHECK(rig.ask("HEAD / HTTP/1.1\r\nHost: x\r\n\r\nHEAD /peek HTTP/1.1\r\nHost: x\r\n\r\n"
                "HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n") ==
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n"
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody");
}

TEST_CASE("server: statuses without a body have none, whatever the handler says", "[http]") {
  for (const int status : {204, 304}) {
    ServerRig rig{[status](Exchange e) { e.respond(status, {}, Buffer::copy_of(as_bytes("no"))); }};
    const auto answer = rig.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(answer.ends_with("\r\n\r\n"));
    CHECK(answer.find("Content-Length") == std::string::npos);
  }
}

TEST_CASE("server: framing headers of a handler are replaced, its names and values cannot add lines", "[http]") {
  ServerRig rig{[](Exchange exchange) {
    http::Headers headers{{"Content-Length", "99"}, {"Transfer-Encoding", "chunked"}, {"X", "a\r\nY: b"}, {"Z", "z"}};
    exchange.respond(200, headers, Buffer::copy_of(as_bytes("ok")));
  }};
  CHECK(rig.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n") == "HTTP/1.1 200 OK\r\nZ: z\r\nContent-Length: 2\r\n\r\nok");
}

TEST_CASE("server: Connection: close in a handler's headers closes", "[http]") {
  ServerRig rig{[](Exchange e) { e.respond(200, {{"Connection", "close"}}, Buffer{}); }};
  CHECK(rig.ask("GET / HTTP/1.1\r\nHost: x\r\n\r\n").find("\r\nConnection: close\r\n") != std::string::npos);
  CHECK(rig.clients[0]->ended);
}

TEST_CASE("server: an exchange that is dropped without an answer is a 500, a begun one is cut", "[http]") {
  ServerRig rig{[](Exchange exchange) {
    if (exchange.request().target.path() == "/drop") return;
    exchange.start(200, {}, 10);
    exchange.write(Buffer::copy_of(as_bytes("half")));
  }};
  CHECK(rig.ask("GET /drop HTTP/1.1\r\nHost: x\r\n\r\n").starts_with("HTTP/1.1 500 "));
  CHECK_FALSE(rig.clients.back()->ended);
  CHECK(body_of(rig.ask("GET /begin HTTP/1.1\r\nHost: x\r\n\r\n")) == "half");
  CHECK(rig.clients.back()->ended);
}

TEST_CASE("server: a drained server answers what is under way and closes", "[http]") {
  std::vector<Exchange> kept;
  ServerRig rig{[&](Exchange exchange) { kept.push_back(std::move(exchange)); }};
  auto& idle = rig.connect();
  auto& busy = rig.connect();
  idle.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  rig.run();
  kept[0].respond(200, {}, Buffer{});
  rig.run();
  busy.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  rig.run();
  rig.server->drain();
  rig.run();
  CHECK(idle.ended);
  CHECK_FALSE(busy.ended);
  kept[1].respond(200, {}, Buffer{});
  rig.run();
  CHECK(busy.take().find("\r\nConnection: close\r\n") != std::string::npos);
  CHECK(busy.ended);
  busy.stream->close();
  idle.stream->close();
  rig.run();
  CHECK(rig.server->connections() == 0);
  CHECK_FALSE(rig.server->next_tick());
}

TEST_CASE("server: nothing that follows an ambiguous request is ever taken for a request", "[http]") {
  const std::string smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
  const auto length = std::to_string(smuggled.size());
  const std::string start = "POST /a HTTP/1.1\r\nHost: x\r\n";
  for (const auto& head :
       {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n",
        "Content-Length: 0\r\nContent-Length: 44\r\n\r\n", "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: identity\r\n\r\n", "Transfer-Encoding:\r\n\r\n",
        "Transfer-Encoding: Chunked, chunked\r\n\r\n0\r\n\r\n", "Content-Length : 0\r\n\r\n",
        "Content-Length: 0\rX: y\r\n\r\n", "X: y\nContent-Length: 0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n0\n\n",
        "Transfer-Encoding: chunked\r\n\r\n00x\r\n\r\n"}) {
    INFO(head);
    for (const std::size_t piece : {1U, 5U, 60'000U}) {
      bool seen = false;
      ServerRig rig{[&](Exchange exchange) {
        seen = seen || exchange.request().target.path() == "/smuggled";
        echo(std::move(exchange));
      }};
      const auto answer = rig.ask(start + head + smuggled, {.max_piece = piece});
      CHECK((answer.starts_with("HTTP/1.1 400 ") || answer.starts_with("HTTP/1.1 501 ")));
      CHECK(rig.clients[0]->ended);
      CHECK_FALSE(seen);
    }
  }
}
