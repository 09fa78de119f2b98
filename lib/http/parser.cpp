#include "http/parser.hpp"

#include "http/parser_state.hpp"

namespace axl::http {

namespace {

// Chunk sizes and line ends of the smallest chunks, and then some; what goes on without end beyond it is no message.
constexpr std::uint64_t kFramingBase = 64 * 1024;
constexpr std::uint64_t kFramingPerByte = 16;

}  // namespace

Parser::Parser(Kind kind, Limits limits) : state_{std::make_unique<State>(kind, limits)} {}
Parser::~Parser() = default;

RequestHead& Parser::request() noexcept { return state_->request; }
ResponseHead& Parser::response() noexcept { return state_->response; }
void Parser::expect_no_body(bool none) noexcept { state_->no_body = none; }
bool Parser::in_head() const noexcept { return state_->in_head; }

Parser::Step Parser::read(MutableByteSpan input) {
  auto& state = *state_;
  state.step = {};
  if (state.failed) {
    state.step.error = &state.error;
    return state.step;
  }
  if (llhttp_get_errno(&state.core) == HPE_PAUSED) llhttp_resume(&state.core);
  const bool in_body = state.in_body;
  const auto* begin = input.empty() ? "" : reinterpret_cast<const char*>(input.data());
  const auto code = llhttp_execute(&state.core, begin, input.size());
  state.step.consumed =
      code == HPE_OK ? input.size() : static_cast<std::size_t>(llhttp_get_error_pos(&state.core) - begin);

  if (code != HPE_OK && code != HPE_PAUSED && !state.failed) state.fail(400, {});
  if (in_body) {
    state.framing_bytes += state.step.consumed - state.step.body.size();
    if (state.framing_bytes > kFramingBase + kFramingPerByte * state.body_bytes && !state.failed) {
      state.fail(400, "too much chunk framing");
    }
  } else {
    state.head_bytes += state.step.consumed;
    if (state.head_bytes > state.limits.head_bytes) state.fail(431, {});
    if (state.step.head) state.head_bytes = 0;
  }
  if (state.failed) {
    state.step.error = &state.error;
    state.step.head = state.step.end = false;
  }
  return state.step;
}

Parser::Step Parser::finish() {
  auto& state = *state_;
  state.step = {};
  if (state.failed) {
    state.step.error = &state.error;
    return state.step;
  }
  if (!state.in_head && !state.in_body) return state.step;  // between messages
  if (llhttp_get_errno(&state.core) == HPE_PAUSED) llhttp_resume(&state.core);
  const auto code = llhttp_finish(&state.core);
  if (code != HPE_OK && code != HPE_PAUSED) {
    state.fail(400, "unexpected EOF");
    state.step.error = &state.error;
    state.step.end = false;
  }
  return state.step;
}

}  // namespace axl::http
