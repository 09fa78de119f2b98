#include "http/parser.hpp"

#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>
#include <vector>

using namespace axl::http;
using namespace std::string_literals;

namespace {

struct Message {
  std::string head;  // method and target, or status
  std::string body;
  bool complete = false;
};

struct Outcome {
  std::vector<Message> messages;
  int error = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};
bool operator==(const Message& a, const Message& b) {
  return a.head == b.head && a.body == b.body && a.complete == b.complete;
}

// Reads `input` in pieces of at most `piece` bytes.
Outcome read_all(Parser& parser, Parser::Kind kind, const std::string& input, std::size_t piece) {
  Outcome outcome;
  for (std::size_t at = 0; at < input.size();) {
    auto part = input.substr(at, piece);
    at += part.size();
    auto rest = std::as_writable_bytes(std::span{part});
    for (bool more = true; more;) {
      const auto read = parser.read(rest);
      rest = rest.subspan(read.consumed);
      if (read.error != nullptr) {
        outcome.error = read.error->status;
        return outcome;
      }
      if (read.head) {
        auto& head = outcome.messages.emplace_back();
        if (kind == Parser::Kind::requests) {
          head.head = parser.request().method + " " + parser.request().target.text();
        } else {
          head.head = std::to_string(parser.response().status);
        }
      }
      if (!read.body.empty()) outcome.messages.back().body += axl::as_text(read.body);
      if (read.end) outcome.messages.back().complete = true;
      more = read.head || (read.end && !rest.empty()) || !rest.empty();
    }
  }
  return outcome;
}

Outcome requests(const std::string& input, std::size_t piece = 1 << 20) {
  Parser parser{Parser::Kind::requests, {}};
  return read_all(parser, Parser::Kind::requests, input, piece);
}

int refusal(const std::string& input) {
  const auto whole = requests(input);
  const auto bytewise = requests(input, 1);
  CHECK(whole.error == bytewise.error);
  return whole.error;
}

const auto start = "POST /x HTTP/1.1\r\nHost: a\r\n"s;

}  // namespace

TEST_CASE("parser: pipelined messages are the same however they are cut", "[http]") {
  const auto input =
      "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
      "POST /b?q HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
      "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;ext=1\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n"
      "HEAD /d HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"s;
  const auto whole = requests(input);
  REQUIRE(whole.messages.size() == 4);
  CHECK(whole.messages[0].head == "GET /a");
  CHECK(whole.messages[1].body == "hello");
  CHECK(whole.messages[2].body == "abc0123456789");
  CHECK(whole.messages[3].complete);
  CHECK(whole.error == 0);
  for (std::size_t piece = 1; piece < 60; ++piece) CHECK(requests(input, piece) == whole);
}

TEST_CASE("parser: a body-less message is complete right after its head", "[http]") {
  Parser parser{Parser::Kind::requests, {}};
  auto input = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"s;
  const auto head = parser.read(std::as_writable_bytes(std::span{input}));
  REQUIRE(head.head);
  CHECK(head.consumed == input.size());
  CHECK(parser.read({}).end);
  CHECK_FALSE(parser.in_head());
  CHECK(parser.finish().error == nullptr);
}

TEST_CASE("parser: what two readers could understand differently is refused", "[http]") {
  CHECK(refusal(start + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 400);
  CHECK(refusal(start + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n") == 400);
  CHECK(refusal(start + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc") == 400);
  CHECK(refusal(start + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc") == 400);
  CHECK(refusal(start + "Content-Length: 3, 3\r\n\r\nabc") == 400);
  CHECK(refusal(start + "Content-Length: +3\r\n\r\nabc") == 400);
  CHECK(refusal(start + "Content-Length: -1\r\n\r\n") == 400);
  CHECK(refusal(start + "Content-Length: 0x3\r\n\r\nabc") == 400);
  CHECK(refusal(start + "Content-Length: 1 2\r\n\r\na") == 400);
  CHECK(refusal(start + "Content-Length:\r\n\r\n") == 400);
  CHECK(refusal(start + "Content-Length: 18446744073709551616\r\n\r\n") == 400);
  CHECK(refusal(start + "Content-Length : 3\r\n\r\nabc") == 400);
  CHECK(refusal(start + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n") == 400);
  CHECK(refusal(start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") != 0);
  CHECK(refusal(start + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n") != 0);
  CHECK(refusal(start + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n") == 501);
  CHECK(refusal(start + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n") == 501);
  CHECK(refusal(start + "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n") == 400);
  CHECK(refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 400);
  CHECK(refusal(start + "X: a\r\n folded\r\n\r\n") == 400);
  CHECK(refusal(start + " X: a\r\n\r\n") == 400);
  CHECK(refusal(start + "X: a\rb\r\n\r\n") == 400);
  CHECK(refusal(start + "X: a\nContent-Length: 5\r\n\r\n") == 400);
  CHECK(refusal(start + "X: a\0b\r\n\r\n"s) == 400);
  CHECK(refusal(start + "X y: a\r\n\r\n") == 400);
  CHECK(refusal(start + "\x01: a\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.1\nHost: a\n\n") == 400);
  CHECK(refusal("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n") == 400);
  CHECK(refusal("GET http://u@h/ HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  for (const auto* chunks : {"-1\r\na\r\n", "+1\r\na\r\n", "0x1\r\na\r\n", "1\r\nab\r\n", "1\na\r\n", "g\r\n", "\r\n",
                             "1 \r\na\r\n", "fffffffffffffffff\r\n", "1\r\na\n0\r\n\r\n"}) {
    CHECK(refusal(start + "Transfer-Encoding: chunked\r\n\r\n" + chunks) == 400);
  }
}

TEST_CASE("parser: other protocols and versions are refused", "[http]") {
  CHECK(refusal("hello\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/2.0\r\nHost: a\r\n\r\n") == 505);
  CHECK(refusal("GET / HTTP/0.9\r\n\r\n") == 505);
  CHECK(refusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == 400);
  CHECK(refusal("SOURCE / ICE/1.0\r\n\r\n") == 400);
  CHECK(refusal("OPTIONS rtsp://a/ RTSP/1.0\r\n\r\n") == 400);
  CHECK(refusal("GET / HTTP/1.1\r\n\r\n") == 400);
  CHECK(refusal("GET a/b HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(refusal("POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\n") == 417);
  CHECK(refusal("\x16\x03\x01\x02") == 400);
}

TEST_CASE("parser: heads are bounded in bytes and lines, at every cut", "[http]") {
  const Parser::Limits limits{.head_bytes = 1000, .head_lines = 10};
  const auto status = [&](const std::string& input, std::size_t piece) {
    Parser parser{Parser::Kind::requests, limits};
    return read_all(parser, Parser::Kind::requests, input, piece).error;
  };
  const auto long_line = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(2000, 'x');
  const auto long_target = "GET /" + std::string(2000, 'x');
  std::string many = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 20; ++i) many += "A: b\r\n";
  for (const std::size_t piece : {1U, 7U, 100U, 5000U}) {
    CHECK(status(long_line, piece) == 431);
    CHECK(status(long_target, piece) == 431);
    CHECK(status(many + "\r\n", piece) == 431);
    const auto fits = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(900, 'x') + "\r\n\r\n";
    CHECK(status(fits + fits + fits, piece) == 0);
  }
}

TEST_CASE("parser: chunk framing without end is no body", "[http]") {
  std::string input = start + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(200'000, 'e') + "\r\na\r\n0\r\n\r\n";
  CHECK(refusal(input) == 400);
  std::string tiny = start + "Transfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 100'000; ++i) tiny += "1\r\na\r\n";
  const auto outcome = requests(tiny + "0\r\n\r\n");
  CHECK(outcome.error == 0);
  REQUIRE(outcome.messages.size() == 1);
  CHECK(outcome.messages[0].body == std::string(100'000, 'a'));
}

TEST_CASE("parser: answers with a length, chunked, to the end, and without a body", "[http]") {
  const auto with_length = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"s;
  const auto chunked = "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"s;
  for (std::size_t piece = 1; piece < 50; ++piece) {
    Parser parser{Parser::Kind::responses, {}};
    const auto read = read_all(parser, Parser::Kind::responses,
                               "HTTP/1.1 100 Continue\r\n\r\n" + with_length + chunked +
                                   "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\nto the end",
                               piece);
    REQUIRE(read.messages.size() == 5);
    CHECK(read.messages[0].head == "100");
    CHECK(read.messages[1].body == "ab");
    CHECK(read.messages[2].body == "ab");
    CHECK(read.messages[3].complete);
    CHECK(read.messages[4].body == "to the end");
    CHECK_FALSE(read.messages[4].complete);
    CHECK(parser.finish().end);
  }
  Parser parser{Parser::Kind::responses, {}};
  parser.expect_no_body(true);
  auto head = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"s;
  const auto read = parser.read(std::as_writable_bytes(std::span{head}));
  CHECK(read.head);
  CHECK(read.end);
  CHECK(parser.response().content_length == 20);
}

TEST_CASE("parser: an answer that ends too early is an error", "[http]") {
  for (const auto* cut : {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "HTTP/1.1 200 OK\r\nContent-L",
                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"}) {
    Parser parser{Parser::Kind::responses, {}};
    CHECK(read_all(parser, Parser::Kind::responses, cut, 3).error == 0);
    CHECK(parser.finish().error != nullptr);
  }
}

TEST_CASE("parser: random changes to valid messages never break it", "[http]") {
  const auto seed = 20260423U;
  INFO("seed " << seed);
  std::mt19937 random{seed};
  const auto valid = start + "Transfer-Encoding: chunked\r\nX-A: b\r\n\r\n3\r\nabc\r\n0\r\nT: u\r\n\r\n" + start +
                     "Content-Length: 4\r\nExpect: 100-continue\r\n\r\nabcdGET / HTTP/1.0\r\n\r\n";
  for (int round = 0; round < 20'000; ++round) {
    auto input = valid;
    for (auto changes = 1 + random() % 4; changes > 0; --changes) {
      const auto at = random() % input.size();
      switch (random() % 3) {
        case 0: input[at] = static_cast<char>(random()); break;
        case 1: input.erase(at, 1 + random() % 5); break;
        default: input.insert(at, 1, "\r\n :0;,a"[random() % 8]);
      }
    }
    auto bytewise = requests(input, 1);
    auto pieces = requests(input, 1 + random() % 40);
    for (auto* outcome : {&bytewise, &pieces}) {  // of a broken body some more or less may have been seen
      if (!outcome->messages.empty() && !outcome->messages.back().complete) outcome->messages.back().body.clear();
    }
    if (bytewise != pieces) FAIL("cut differently, read differently: " << input);
  }
}
