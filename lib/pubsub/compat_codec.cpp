#include "pubsub/compat_codec.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "crypto/base64.hpp"
#include "mcp/json.hpp"

namespace axl::pubsub::compat {

namespace json = mcp::json;

namespace {

Error malformed(const char* what) { return {Errc::malformed, std::string{"malformed gossipsub "} + what}; }

std::optional<std::string> text_member(std::string_view object, std::string_view name) {
  const auto value = json::find(object, name);
  return value ? json::text_of(*value) : std::nullopt;
}

std::optional<PublicKey> key_member(std::string_view object, std::string_view name) {
  const auto text = text_member(object, name);
  if (!text) return std::nullopt;
  const auto key = PublicKey::from_hex(*text);
  if (!key) return std::nullopt;
  return *key;
}

std::optional<std::string> topic_member(std::string_view object) {
  auto topic = text_member(object, "topic");
  if (!topic || !is_topic(*topic)) return std::nullopt;
  return topic;
}

// Hops are for looking at only: whatever is no small number counts as far away.
std::uint8_t hops_member(std::string_view object) {
  const auto value = json::find(object, "hop");
  if (!value) return 0;
  const auto text = json::trim(*value);
  std::uint8_t hops = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), hops);
  return error == std::errc{} && end == text.data() + text.size() ? hops : std::uint8_t{255};
}

std::optional<std::vector<MessageName>> names_member(std::string_view object, std::size_t most) {
  const auto value = json::find(object, "msg_ids");
  if (!value || json::type_of(*value) != json::Type::array) return std::nullopt;
  std::vector<MessageName> names;
  json::Elements elements{*value};
  while (names.size() < most) {
    const auto element = elements.next();
    if (!element) break;
    const auto text = json::text_of(*element);
    if (!text) return std::nullopt;
    if (auto name = MessageName::of_text(*text)) names.push_back(std::move(*name));
  }
  return names;
}

void take_signature(std::string_view object, PublishedMessage& message) {
  const auto signer = key_member(object, "signer");
  const auto text = text_member(object, "signature");
  const auto bytes = text ? crypto::from_base64(*text) : std::nullopt;
  if (!signer || !bytes || bytes->size() != crypto::Signature::kSize) return;
  message.signer = signer;
  std::ranges::copy(*bytes, message.signature.bytes.begin());
}

Result<Body> read_message(std::string_view object) {
  auto topic = topic_member(object);
  const auto id = text_member(object, "msg_id");
  const auto origin = key_member(object, "origin");
  const auto data = text_member(object, "data");
  auto body = data ? crypto::from_base64(*data) : std::nullopt;
  auto name = id ? MessageName::of_text(*id) : std::nullopt;
  if (!topic || !name || !origin || !body) return malformed("MESSAGE");
  PublishedMessage message{*origin,           std::move(*name), std::move(*topic), MessageBody{std::move(*body)},
                           hops_member(object), {},               {}};
  take_signature(object, message);
  return Body{std::move(message)};
}

std::string begin(std::string_view kind) {
  std::string out = R"({"type":"gossipsub","msg_type":")";
  return out.append(kind).append("\"");
}

void add(std::string& out, std::string_view name, std::string_view text) {
  out.append(",\"").append(name).append("\":").append(json::quote(text));
}

void add_names(std::string& out, const std::vector<MessageName>& names) {
  out += R"(,"msg_ids":[)";
  for (const auto& name : names) out.append(&name == names.data() ? "" : ",").append(json::quote(name.text()));
  out += "]";
}

MessageBody end(std::string out) {
  out += "}";
  return MessageBody{to_bytes(out)};
}

}  // namespace

bool is_gossip(ByteSpan bytes) {
  const auto text = json::trim(as_text(bytes));
  return text.starts_with('{') && text.find("\"gossipsub\"") != std::string_view::npos && json::is_valid(text) &&
         text_member(text, "type") == "gossipsub";
}

Result<Body> decode(ByteSpan bytes) {
  const auto text = json::trim(as_text(bytes));
  if (!json::is_valid(text)) return malformed("message: not JSON");
  if (text_member(text, "type") != "gossipsub") return malformed("message: another type");
  const auto kind = text_member(text, "msg_type").value_or("");
  if (kind == "MESSAGE") return read_message(text);
  if (kind == "IWANT") {
    auto names = names_member(text, kMaxWantNames);
    if (!names) return malformed("IWANT");
    return Body{WantNames{std::move(*names)}};
  }
  auto topic = topic_member(text);
  if (!topic) return malformed("message: no topic");
  if (kind == "GRAFT") return Body{Graft{std::move(*topic)}};
  if (kind == "PRUNE") return Body{Prune{std::move(*topic), 0, {}}};
  if (kind == "IHAVE") {
    auto names = names_member(text, kMaxHaveNames);
    if (!names) return malformed("IHAVE");
    return Body{HaveNames{std::move(*topic), std::move(*names)}};
  }
  return malformed("message: no such msg_type");
}

MessageBody encode(const PublishedMessage& message, const PublicKey& from) {
  auto out = begin("MESSAGE");
  add(out, "topic", message.topic);
  add(out, "msg_id", message.name.text());
  add(out, "origin", message.origin.to_hex());
  add(out, "from", from.to_hex());
  out.append(",\"hop\":").append(std::to_string(message.hops));
  add(out, "data", crypto::to_base64(message.body));
  if (message.signer) {
    add(out, "signer", message.signer->to_hex());
    add(out, "signature", crypto::to_base64(message.signature.bytes));
  }
  return end(std::move(out));
}

MessageBody encode(const Graft& graft) {
  auto out = begin("GRAFT");
  add(out, "topic", graft.topic);
  return end(std::move(out));
}

MessageBody encode(const Prune& prune) {
  auto out = begin("PRUNE");
  add(out, "topic", prune.topic);
  out += R"(,"peers":[])";
  return end(std::move(out));
}

MessageBody encode(const HaveNames& have) {
  auto out = begin("IHAVE");
  add(out, "topic", have.topic);
  add_names(out, have.names);
  return end(std::move(out));
}

MessageBody encode(const WantNames& want) {
  auto out = begin("IWANT");
  add_names(out, want.names);
  return end(std::move(out));
}

}  // namespace axl::pubsub::compat
