#include "mcp/envelope.hpp"

#include <algorithm>
#include <array>

#include "mcp/json.hpp"

namespace axl::mcp {

namespace {

std::optional<RequestEnvelope> exact_request(std::string_view text) {
  std::optional<std::string_view> service;
  std::optional<std::string_view> request;
  json::Members members{text};
  while (const auto member = members.next()) {
    auto* slot = json::says(member->name, "service")   ? &service
                 : json::says(member->name, "request") ? &request
                                                       : nullptr;
    if (slot == nullptr || slot->has_value()) return {};
    *slot = member->value;
  }
  if (!service || !request || json::type_of(*request) != json::Type::object) return {};
  auto name = json::text_of(*service);
  if (!name || name->empty()) return {};
  return RequestEnvelope{std::move(*name), *request};
}

// A string member; null leaves it as it is. False: of another type.
bool take_text(std::string_view value, std::string& out) {
  if (json::type_of(value) == json::Type::null) return true;
  auto text = json::text_of(value);
  if (!text) return false;
  out = std::move(*text);
  return true;
}

std::optional<RequestEnvelope> loose_request(std::string_view text) {
  RequestEnvelope envelope{{}, "null"};
  json::Members members{text};
  while (const auto member = members.next()) {
    if (json::says(member->name, "service", true)) {
      if (!take_text(member->value, envelope.service)) return {};
    } else if (json::says(member->name, "request", true)) {
      envelope.request = member->value;
    }
  }
  if (envelope.service.empty()) return {};
  return envelope;
}

std::string service_prefix(std::string_view service) { return "{\"service\":" + json::quote(service); }

}  // namespace

bool may_be_envelope(ByteSpan frame, Shape shape) noexcept {
  auto text = as_text(frame);
  const auto next = [&text] {
    const auto found = text.find_first_not_of(" \t\n\r");
    text.remove_prefix(std::min(found, text.size()));
  };
  next();
  if (!text.starts_with('{')) return false;
  if (shape == Shape::loose) return true;
  text.remove_prefix(1);
  next();
  constexpr std::array<std::string_view, 4> kMembers{"\"service\"", "\"request\"", "\"a2a\"", "\"agent_card\""};
  return std::ranges::any_of(kMembers, [text](std::string_view member) { return text.starts_with(member); });
}

std::optional<RequestEnvelope> request_in(std::string_view text, Shape shape) {
  return shape == Shape::exact ? exact_request(text) : loose_request(text);
}

std::optional<RequestEnvelope> read_request(ByteSpan frame, Shape shape) {
  if (!may_be_envelope(frame, shape) || !json::is_valid(as_text(frame))) return {};
  return request_in(as_text(frame), shape);
}

bool take_outcome(std::string_view name, std::string_view value, Outcome& outcome) {
  if (json::says(name, "response", true)) outcome.response = value;
  if (!json::says(name, "error", true)) return true;
  std::string text = outcome.error.value_or(std::string{});
  if (!take_text(value, text)) return false;
  outcome.error.reset();
  if (!text.empty()) outcome.error = std::move(text);
  return true;
}

std::optional<AnswerEnvelope> read_answer(ByteSpan frame) {
  if (!may_be_envelope(frame, Shape::loose) || !json::is_valid(as_text(frame))) return {};
  AnswerEnvelope answer;
  Outcome outcome;
  json::Members members{as_text(frame)};
  while (const auto member = members.next()) {
    if (json::says(member->name, "service", true) && !take_text(member->value, answer.service)) return {};
    if (!take_outcome(member->name, member->value, outcome)) return {};
  }
  answer.response = outcome.response;
  answer.error = std::move(outcome.error);
  return answer;
}

std::string with_response(std::string_view prefix, std::string_view response) {
  constexpr std::string_view kMember = ",\"response\":";
  std::string out;
  out.reserve(prefix.size() + kMember.size() + response.size() + 1);
  return out.append(prefix).append(kMember).append(response).append("}");
}

std::string with_error(std::string_view prefix, std::string_view error) {
  return std::string{prefix} + ",\"response\":null,\"error\":" + json::quote(error) + "}";
}

std::string encode_request(std::string_view service, std::string_view request) {
  constexpr std::string_view kMember = ",\"request\":";
  auto out = service_prefix(service);
  out.reserve(out.size() + kMember.size() + request.size() + 1);
  return out.append(kMember).append(request).append("}");
}

std::string encode_answer(std::string_view service, std::string_view response) {
  return with_response(service_prefix(service), response);
}

std::string encode_error(std::string_view service, std::string_view error) {
  return with_error(service_prefix(service), error);
}

}  // namespace axl::mcp
