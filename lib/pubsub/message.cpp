#include "pubsub/message.hpp"

#include <algorithm>

#include "crypto/hash.hpp"

namespace axl::pubsub {

namespace {

constexpr std::string_view kContent = "axl pubsub content 1";
constexpr std::string_view kAlias = "axl pubsub name 1";
constexpr std::string_view kByOrigin = "axl pubsub origin 1";
constexpr std::string_view kByGateway = "axl pubsub gateway 1";

void append(Bytes& out, ByteSpan bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

void append_counted(Bytes& out, ByteSpan bytes) {  // at most 255
  out.push_back(static_cast<std::byte>(bytes.size()));
  append(out, bytes);
}

MessageId first_bytes(const PublishedMessage::Hash& hash) noexcept {
  MessageId id;
  std::ranges::copy_n(hash.begin(), MessageId::kSize, id.bytes.begin());
  return id;
}

Bytes signed_bytes(const PublishedMessage::Hash& hash, bool by_origin) {
  Bytes out = to_bytes(by_origin ? kByOrigin : kByGateway);
  append(out, hash);
  return out;
}

}  // namespace

bool is_topic(std::string_view topic) noexcept {
  return !topic.empty() && topic.size() <= kMaxTopicSize && topic.front() != ' ' && topic.back() != ' ' &&
         std::ranges::all_of(topic, [](char c) { return c >= ' ' && c <= '~'; });
}

MessageName MessageName::make(std::uint64_t sequence, Rng& rng) {
  Binary binary{};
  for (std::size_t i = 0; i < 8; ++i) binary[i] = static_cast<std::byte>(sequence >> (56 - 8 * i));
  rng.fill(MutableByteSpan{binary}.subspan(8));
  return MessageName{binary};
}

std::optional<MessageName> MessageName::of_text(std::string_view text) {
  if (text.empty() || text.size() > kMaxNameSize) return std::nullopt;
  MessageName name;
  const bool ours = text.size() == 2 * name.binary_.size() &&
                    std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
  if (!ours) {
    name.text_ = text;
  } else if (const auto bytes = from_hex(text)) {
    std::ranges::copy(*bytes, name.binary_.begin());
  }
  return name;
}

std::optional<std::uint64_t> MessageName::sequence() const noexcept {
  if (is_text()) return std::nullopt;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8 | std::to_integer<std::uint64_t>(binary_[i]);
  return value;
}

MessageId MessageName::alias() const noexcept { return first_bytes(crypto::blake2b512(bytes(), as_bytes(kAlias))); }

PublishedMessage::Hash PublishedMessage::hash() const noexcept {
  Bytes head = to_bytes(kContent);
  head.push_back(name.is_text() ? std::byte{1} : std::byte{0});
  append(head, origin.bytes());
  append_counted(head, name.bytes());
  append_counted(head, as_bytes(topic));
  append(head, crypto::blake2b512(body, {}));
  return crypto::blake2b512(head, {});
}

MessageId PublishedMessage::id_of(const Hash& hash) noexcept { return first_bytes(hash); }

void PublishedMessage::sign(const Hash& hash, const PrivateKey& key) noexcept {
  signer = key.public_key();
  signature = crypto::sign(key, signed_bytes(hash, *signer == origin));
}

bool PublishedMessage::verify(const Hash& hash, const crypto::Verifier& verifier) const {
  return signer && verifier(*signer, signed_bytes(hash, *signer == origin), signature);
}

}  // namespace axl::pubsub
