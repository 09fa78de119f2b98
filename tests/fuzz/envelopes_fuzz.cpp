// The MCP and A2A envelope codecs, and the first look at JSON-RPC.

#include <axl/a2a.hpp>
#include <axl/mcp.hpp>
#include <span>
#include <string_view>

#include "fuzz.hpp"
#include "mcp/json.hpp"

namespace {

using namespace axl;
using test::expect;

bool within(std::string_view part, ByteSpan whole) {
  const auto text = as_text(whole);
  return part.data() >= text.data() && part.data() + part.size() <= text.data() + text.size();
}

void check_mcp(ByteSpan frame) {
  const auto loose = mcp::read_request(frame, mcp::Shape::loose);
  if (const auto exact = mcp::read_request(frame)) {
    expect(loose && loose->service == exact->service && loose->request == exact->request, "exact is loose too");
    expect(within(exact->request, frame), "a request is a view into its frame");
    const auto written = mcp::encode_request(exact->service, exact->request);
    const auto again = mcp::read_request(as_bytes(written));
    expect(again && again->service == exact->service && again->request == exact->request, "what is written is read");
  }
  if (const auto answer = mcp::read_answer(frame)) {
    expect(mcp::json::is_valid(answer->response), "a response is JSON");
    const auto written = answer->error ? mcp::encode_error(answer->service, *answer->error)
                                       : mcp::encode_answer(answer->service, answer->response);
    const auto again = mcp::read_answer(as_bytes(written));
    expect(again && again->service == answer->service && again->error == answer->error, "an answer comes back");
  }
}

void check_a2a(ByteSpan frame) {
  const auto loose = a2a::read_request(frame, a2a::Shape::loose);
  if (const auto exact = a2a::read_request(frame)) {
    expect(loose && loose->agent_card == exact->agent_card && loose->request == exact->request, "exact is loose too");
    expect(!mcp::read_request(frame), "one envelope is not the other");
  }
  if (loose) expect(mcp::json::is_valid(loose->request), "a request is JSON");
  if (const auto answer = a2a::read_answer(frame)) {
    const auto written = answer->error ? a2a::encode_error(*answer->error) : a2a::encode_answer(answer->response);
    expect(a2a::read_answer(as_bytes(written)).has_value(), "an answer comes back");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto frame = std::as_bytes(std::span{data, size});
  check_mcp(frame);
  check_a2a(frame);
  const auto message = mcp::peek(frame);
  expect(message.has_value() == mcp::json::is_valid(as_text(frame)), "all JSON can be looked at, and nothing else");
  if (message) {
    expect(message->id.empty() || within(message->id, frame), "an id is a view");
    expect(mcp::json::is_valid(mcp::encode_rpc_error(message->id, -1, message->method)), "an error is JSON");
  }
  return 0;
}
