// HTTP without sockets: parsing, writing heads, and a request through a server.
#include <benchmark/benchmark.h>

#include "http/encode.hpp"
#include "http/parser.hpp"
#include "http_pair.hpp"
#include "numbered.hpp"

using namespace axl;
using namespace axl::bench;

namespace {

// Reads one message; the bytes of its body.
std::size_t read_all(http::Parser& parser, MutableByteSpan input) {
  std::size_t body = 0;
  for (bool end = false; !end;) {  // an empty body ends in a step of its own, which takes nothing
    const auto step = parser.read(input);
    require(step.error == nullptr && (step.consumed > 0 || step.end), "a message is parsed");
    body += step.body.size();
    input = input.subspan(step.consumed);
    end = step.end;
  }
  require(input.empty(), "a message is read to its end");
  return body;
}

void parse(benchmark::State& state, http::Parser::Kind kind, const std::string& text) {
  http::Parser parser{kind, {}};
  auto input = to_bytes(text);
  for (auto _ : state) benchmark::DoNotOptimize(read_all(parser, input));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(input.size()));
}

std::string answer(std::size_t body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nServer: axl\r\nContent-Length: " + std::to_string(body) +
         "\r\n\r\n" + std::string(body, 'x');
}

BENCHMARK_CAPTURE(parse, request_without_body, http::Parser::Kind::requests, send_request(0));
BENCHMARK_CAPTURE(parse, request_1_KiB, http::Parser::Kind::requests, send_request(1'024));
BENCHMARK_CAPTURE(parse, request_1_MiB, http::Parser::Kind::requests, send_request(1 << 20));
BENCHMARK_CAPTURE(parse, answer_1_KiB, http::Parser::Kind::responses, answer(1'024));

// A parser overwrites its input where chunks lie, so each time they are laid out anew.
void parse_chunks(benchmark::State& state) {
  std::string text = "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 16; ++i) text += "100\r\n" + std::string(256, 'x') + "\r\n";
  text += "0\r\n\r\n";
  http::Parser parser{http::Parser::Kind::requests, {}};
  Bytes input;
  for (auto _ : state) {
    input.assign(as_bytes(text).begin(), as_bytes(text).end());
    benchmark::DoNotOptimize(read_all(parser, input));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(parse_chunks);

void encode_answer(benchmark::State& state) {
  const http::Headers headers{
      {"Content-Type", "application/octet-stream"}, {"X-Sent-Bytes", "1024"}, {"X-Axl-Delivered", "1"}};
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        http::encode_response_head(http::Version::http_1_1, 200, "OK", headers, {}, {.content_length = 0}, "axl", 0));
  }
}
BENCHMARK(encode_answer);

void encode_request(benchmark::State& state) {
  const http::Headers headers{
      {"Host", "peer"}, {"Content-Type", "application/octet-stream"}, {"X-Axl-Message-Id", "4f1cb1a04dd5"}};
  for (auto _ : state) {
    benchmark::DoNotOptimize(http::encode_request_head("POST", "/messages", headers, {.content_length = 1'024}, 1'024));
  }
}
BENCHMARK(encode_request);

void served_request(benchmark::State& state) {
  HttpPair pair;
  for (auto _ : state) pair.ask(static_cast<std::size_t>(state.range(0)));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(served_request)->Arg(1'024)->Arg(1 << 20)->ArgName("bytes");

}  // namespace
