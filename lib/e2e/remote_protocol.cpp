#include "e2e/remote_protocol.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "e2e/ipv6.hpp"

namespace axl::e2e {

namespace {

constexpr std::byte kNodeInfoRequest{1};
constexpr std::byte kNodeInfoResponse{2};
constexpr std::byte kDebug{0xff};
constexpr std::byte kGetSelfRequest{1};
constexpr std::byte kGetSelfResponse{2};
constexpr std::byte kGetPeersRequest{3};
constexpr std::byte kGetTreeRequest{5};
constexpr std::byte kProtocol{static_cast<std::uint8_t>(PayloadType::protocol)};

Buffer payload_of(ByteSpan prefix, ByteSpan content) {
  Buffer payload{prefix.size(), Buffer::kHeadroom, content.size()};
  std::ranges::copy(prefix, payload.data());
  payload.append(content);
  return payload;
}

}  // namespace

RemoteProtocol::RemoteProtocol(const Config& config, const PublicKey& own_key)
    : own_key_{own_key.to_hex()},
      answers_per_source_{config.answers_per_source, config.max_rated_sources},
      answers_{config.answers} {
  auto text = node_info_text(config);
  if (!text) {
    Config plain = config;
    plain.node_info = "{}";
    text = node_info_text(plain);
  }
  node_info_ = text ? *std::move(text) : std::string{"{}"};
}

bool RemoteProtocol::may_answer(const PublicKey& asker, Time now) {
  return answers_per_source_.allow(asker, now) && answers_.allow(now);
}

RemoteProtocol::Answer RemoteProtocol::on_message(const PublicKey& asker, ByteSpan message, Time now) {
  if (message.empty()) return Nothing{};
  if (message[0] == kNodeInfoRequest) {
    if (!may_answer(asker, now)) return Nothing{};
    return payload_of(std::array{kProtocol, kNodeInfoResponse}, as_bytes(node_info_));
  }
  if (message[0] == kNodeInfoResponse) return Question::node_info;
  if (message[0] != kDebug || message.size() < 2) return Nothing{};
  const auto request = message[1];
  if (request == kGetSelfResponse) return Question::self;
  if (request != kGetSelfRequest && request != kGetPeersRequest && request != kGetTreeRequest) return Nothing{};
  if (!may_answer(asker, now)) return Nothing{};
  if (request == kGetPeersRequest) return KeyList::peers;
  if (request == kGetTreeRequest) return KeyList::tree;
  const auto text = fmt::format(R"({{"key":"{}","routing_entries":"{}"}})", own_key_, routing_entries_);
  return payload_of(std::array{kProtocol, kDebug, kGetSelfResponse}, as_bytes(text));
}

Buffer RemoteProtocol::request(Question question) {
  if (question == Question::node_info) return payload_of(std::array{kProtocol, kNodeInfoRequest}, {});
  return payload_of(std::array{kProtocol, kDebug, kGetSelfRequest}, {});
}

Buffer RemoteProtocol::key_list(std::uint8_t response_type, const std::vector<PublicKey>& keys) {
  const std::array prefix{kProtocol, kDebug, std::byte{response_type}};
  const auto count = std::min(keys.size(), (kMaxIpv6Packet - prefix.size()) / PublicKey::kSize);
  Buffer payload{prefix.size(), Buffer::kHeadroom, count * PublicKey::kSize};
  std::ranges::copy(prefix, payload.data());
  for (std::size_t i = 0; i < count; ++i) payload.append(keys[i].bytes());
  return payload;
}

}  // namespace axl::e2e
