#include "pubsub/codec.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "wire/codec.hpp"

namespace axl::pubsub {

namespace {

enum class Type : std::uint8_t { message = 1, topics, graft, prune, have, want };

constexpr std::uint8_t kSigned = 1;
constexpr std::uint8_t kByAnother = 2;
constexpr std::uint8_t kTextName = 4;

Error malformed(const char* what) { return {Errc::malformed, std::string{"malformed pub/sub "} + what}; }

// Sizes of what is written here are bounded, so it needs no limit of its own.
class Writer {
 public:
  explicit Writer(Type type, std::size_t room = 64) {
    out_.reserve(room);
    u8(kWireVersion).u8(static_cast<std::uint8_t>(type));
  }
  Writer& u8(std::uint8_t value) {
    out_.push_back(std::byte{value});
    return *this;
  }
  Writer& u16(std::uint16_t value) {
    return u8(static_cast<std::uint8_t>(value >> 8)).u8(static_cast<std::uint8_t>(value));
  }
  Writer& bytes(ByteSpan value) {
    out_.insert(out_.end(), value.begin(), value.end());
    return *this;
  }
  Writer& counted(ByteSpan value) { return u8(static_cast<std::uint8_t>(value.size())).bytes(value); }
  Writer& topic(std::string_view value) { return counted(as_bytes(value)); }
  Writer& ids(const std::vector<MessageId>& values) {
    for (const auto& id : values) bytes(id.bytes);
    return *this;
  }
  [[nodiscard]] MessageBody take() { return MessageBody{std::move(out_)}; }

 private:
  Bytes out_;
};

std::string read_topic(wire::Reader& in) {
  std::string topic{as_text(in.bytes(in.u8()))};
  if (!is_topic(topic)) in.fail();
  return topic;
}

// Empty when the rest is not `least` to `most` ids.
std::optional<std::vector<MessageId>> read_ids(wire::Reader& in, std::size_t most) {
  const auto count = in.rest().size() / MessageId::kSize;
  if (!in.ok() || in.rest().size() % MessageId::kSize != 0 || count == 0 || count > most) return std::nullopt;
  std::vector<MessageId> ids(count);
  for (auto& id : ids) std::ranges::copy(in.bytes(MessageId::kSize), id.bytes.begin());
  return ids;
}

std::optional<MessageName> read_name(wire::Reader& in, bool text) {
  if (text) {
    auto name = MessageName::of_text(as_text(in.bytes(in.u8())));
    if (name && name->is_text()) return name;  // one name has one form
    return std::nullopt;
  }
  MessageName::Binary binary{};
  const auto bytes = in.bytes(binary.size());
  if (!in.ok()) return std::nullopt;
  std::ranges::copy(bytes, binary.begin());
  return MessageName{binary};
}

Result<Body> read_message(wire::Reader& in, const MessageBody& whole) {
  const auto flags = in.u8();
  if (flags > (kSigned | kByAnother | kTextName) || (flags & (kSigned | kByAnother)) == kByAnother) {
    return malformed("message");
  }
  PublishedMessage message;
  message.hops = in.u8();
  message.origin = in.key();
  auto name = read_name(in, (flags & kTextName) != 0);
  if (!name) return malformed("message");
  message.name = std::move(*name);
  message.topic = read_topic(in);
  if ((flags & kSigned) != 0) {
    message.signer = (flags & kByAnother) != 0 ? in.key() : message.origin;
    message.signature = in.signature();
    if ((flags & kByAnother) != 0 && message.signer == message.origin) return malformed("message");
  }
  if (!in.ok()) return malformed("message");
  message.body = MessageBody{whole.owner(), in.rest()};
  return Body{std::move(message)};
}

Result<Body> read_topics(wire::Reader& in) {
  Topics out;
  const auto what = in.u8();
  if (what > static_cast<std::uint8_t>(Topics::What::all)) return malformed("topics");
  out.what = static_cast<Topics::What>(what);
  while (in.ok() && !in.at_end() && out.topics.size() < kMaxTopicsPerBody) out.topics.push_back(read_topic(in));
  if (!in.ok() || !in.at_end()) return malformed("topics");
  return Body{std::move(out)};
}

Result<Body> read_prune(wire::Reader& in) {
  Prune out;
  out.topic = read_topic(in);
  out.back_off_seconds = in.u16();
  const auto count = in.rest().size() / PublicKey::kSize;
  if (!in.ok() || in.rest().size() % PublicKey::kSize != 0 || count > kMaxKeysPerPrune) return malformed("prune");
  for (std::size_t i = 0; i < count; ++i) out.others.push_back(in.key());
  return Body{std::move(out)};
}

}  // namespace

Result<Body> decode(const MessageBody& bytes) {
  wire::Reader in{bytes.span()};
  if (in.u8() != kWireVersion) return malformed("body: another version");
  switch (static_cast<Type>(in.u8())) {
    case Type::message:
      return read_message(in, bytes);
    case Type::topics:
      return read_topics(in);
    case Type::graft: {
      Graft out{read_topic(in)};
      if (!in.ok() || !in.at_end()) return malformed("graft");
      return Body{std::move(out)};
    }
    case Type::prune:
      return read_prune(in);
    case Type::have: {
      auto topic = read_topic(in);
      auto ids = read_ids(in, kMaxHaveIds);
      if (!ids) return malformed("have");
      return Body{Have{std::move(topic), std::move(*ids)}};
    }
    case Type::want: {
      auto ids = read_ids(in, kMaxWantIds);
      if (!ids) return malformed("want");
      return Body{Want{std::move(*ids)}};
    }
  }
  return malformed("body: no such type");
}

MessageBody encode(const PublishedMessage& message) {
  const bool by_another = message.signer && *message.signer != message.origin;
  std::uint8_t flags = 0;
  if (message.signer) flags |= kSigned;
  if (by_another) flags |= kByAnother;
  if (message.name.is_text()) flags |= kTextName;
  Writer out{Type::message, kMaxMessageOverhead + message.body.size()};
  out.u8(flags).u8(message.hops).bytes(message.origin.bytes());
  if (message.name.is_text()) {
    out.counted(message.name.bytes());
  } else {
    out.bytes(message.name.bytes());
  }
  out.topic(message.topic);
  if (by_another) out.bytes(message.signer->bytes());
  if (message.signer) out.bytes(message.signature.bytes);
  return out.bytes(message.body).take();
}

MessageBody encode(const Topics& topics) {
  Writer out{Type::topics};
  out.u8(static_cast<std::uint8_t>(topics.what));
  for (const auto& topic : topics.topics) out.topic(topic);
  return out.take();
}

MessageBody encode(const Graft& graft) { return Writer{Type::graft}.topic(graft.topic).take(); }

MessageBody encode(const Prune& prune) {
  Writer out{Type::prune};
  out.topic(prune.topic).u16(prune.back_off_seconds);
  for (const auto& key : prune.others) out.bytes(key.bytes());
  return out.take();
}

MessageBody encode(const Have& have) {
  return Writer{Type::have, 160 + MessageId::kSize * have.ids.size()}.topic(have.topic).ids(have.ids).take();
}

MessageBody encode(const Want& want) {
  return Writer{Type::want, 2 + MessageId::kSize * want.ids.size()}.ids(want.ids).take();
}

}  // namespace axl::pubsub
