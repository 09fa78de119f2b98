#include "a2a/envelope.hpp"

#include <algorithm>
#include <array>

#include "mcp/envelope.hpp"
#include "mcp/json.hpp"

namespace axl::a2a {

namespace json = mcp::json;

namespace {

constexpr std::string_view kPrefix = "{\"a2a\":true";

// A boolean member; null leaves it as it is. False: of another type.
bool take_flag(std::string_view value, bool& out) {
  if (json::type_of(value) == json::Type::null) return true;
  if (json::type_of(value) != json::Type::boolean) return false;
  out = value == "true";
  return true;
}

std::optional<RequestEnvelope> exact_request(std::string_view text) {
  std::optional<std::string_view> a2a;
  std::optional<std::string_view> card;
  std::optional<std::string_view> request;
  json::Members members{text};
  while (const auto member = members.next()) {
    auto* slot = json::says(member->name, "a2a")          ? &a2a
                 : json::says(member->name, "agent_card") ? &card
                 : json::says(member->name, "request")    ? &request
                                                          : nullptr;
    if (slot == nullptr || slot->has_value()) return {};
    *slot = member->value;
  }
  if (a2a != "true" || !request) return {};
  if (card) {
    if (card != "true" || request != "null") return {};
    return RequestEnvelope{true, *request};
  }
  if (json::type_of(*request) != json::Type::object) return {};
  return RequestEnvelope{false, *request};
}

std::optional<RequestEnvelope> loose_request(std::string_view text) {
  RequestEnvelope envelope{false, "null"};
  bool a2a = false;
  json::Members members{text};
  while (const auto member = members.next()) {
    if (json::says(member->name, "a2a", true)) {
      if (!take_flag(member->value, a2a)) return {};
    } else if (json::says(member->name, "agent_card", true)) {
      if (!take_flag(member->value, envelope.agent_card)) return {};
    } else if (json::says(member->name, "request", true)) {
      envelope.request = member->value;
    }
  }
  if (!a2a) return {};
  return envelope;
}

}  // namespace

std::optional<RequestEnvelope> request_in(std::string_view text, Shape shape) {
  return shape == Shape::exact ? exact_request(text) : loose_request(text);
}

std::optional<RequestEnvelope> read_request(ByteSpan frame, Shape shape) {
  if (!mcp::may_be_envelope(frame, shape) || !json::is_valid(as_text(frame))) return {};
  return request_in(as_text(frame), shape);
}

std::optional<AnswerEnvelope> read_answer(ByteSpan frame) {
  if (!mcp::may_be_envelope(frame, Shape::loose) || !json::is_valid(as_text(frame))) return {};
  mcp::Outcome outcome;
  bool a2a = false;  // its value does not matter, its type does
  json::Members members{as_text(frame)};
  while (const auto member = members.next()) {
    if (json::says(member->name, "a2a", true) && !take_flag(member->value, a2a)) return {};
    if (!mcp::take_outcome(member->name, member->value, outcome)) return {};
  }
  return AnswerEnvelope{outcome.response, std::move(outcome.error)};
}

std::string encode_request(std::string_view request) {
  constexpr std::string_view kMember = ",\"request\":";
  std::string out;
  out.reserve(kPrefix.size() + kMember.size() + request.size() + 1);
  return out.append(kPrefix).append(kMember).append(request).append("}");
}

std::string encode_card_request() { return std::string{kPrefix} + ",\"agent_card\":true,\"request\":null}"; }
std::string encode_answer(std::string_view response) { return mcp::with_response(kPrefix, response); }
std::string encode_error(std::string_view error) { return mcp::with_error(kPrefix, error); }

Version version_of(std::string_view method) noexcept {
  return method.find('/') == std::string_view::npos ? Version::v1_0 : Version::v0_3;
}

bool is_streaming(std::string_view method) noexcept {
  constexpr std::array<std::string_view, 4> kStreaming{"SendStreamingMessage", "SubscribeToTask", "message/stream",
                                                       "tasks/resubscribe"};
  return std::ranges::find(kStreaming, method) != kStreaming.end();
}

}  // namespace axl::a2a
