// The HTTP parser: the same bytes mean the same, in whatever pieces they come.

#include <algorithm>
#include <axl/bytes.hpp>
#include <span>
#include <string>

#include "fuzz.hpp"
#include "http/parser.hpp"

namespace {

using namespace axl;
using http::Parser;

// All that a reader of the connection would learn, as text.
std::string read_all(Parser::Kind kind, ByteSpan input, std::size_t piece) {
  Parser parser{kind, {.head_bytes = 4096, .head_lines = 64}};
  std::string told;
  const auto note = [&](const Parser::Step& step) {
    if (step.head) {
      const auto& headers = kind == Parser::Kind::requests ? parser.request().headers : parser.response().headers;
      told += kind == Parser::Kind::requests
                  ? "<" + parser.request().method + " " + parser.request().target.text() + ">"
                  : "<" + std::to_string(parser.response().status) + ">";
      for (const auto line : headers) told += std::string{line.name} + ":" + std::string{line.value} + ";";
    }
    told += as_text(step.body);
    if (step.end) told += "<end>";
    if (step.error != nullptr) told += "<error " + std::to_string(step.error->status) + ">";
    return step.error == nullptr;
  };
  for (std::size_t at = 0; at < input.size();) {
    auto part = to_bytes(input.subspan(at, std::min(piece, input.size() - at)));
    at += part.size();
    for (std::size_t read = 0; read < part.size();) {
      const auto step = parser.read(MutableByteSpan{part}.subspan(read));
      test::expect(step.consumed <= part.size() - read, "no more is consumed than there is");
      if (!note(step)) return told;
      test::expect(step.consumed > 0 || step.head || step.end, "reading goes on");
      read += step.consumed;
    }
  }
  note(parser.finish());
  return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = std::as_bytes(std::span{data, size});
  for (const auto kind : {Parser::Kind::requests, Parser::Kind::responses}) {
    const auto whole = read_all(kind, input, input.size() + 1);
    test::expect(whole == read_all(kind, input, 1), "pieces do not matter");
    test::expect(whole == read_all(kind, input, 7), "pieces do not matter");
  }
  return 0;
}
