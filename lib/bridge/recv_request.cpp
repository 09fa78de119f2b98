#include "bridge/recv_request.hpp"

#include <algorithm>
#include <string>

#include "bridge/peer_id.hpp"
#include "http/target.hpp"
#include "http/text.hpp"

namespace axl::bridge {

namespace {

constexpr std::uint64_t kMaxWaitSeconds = 60;
constexpr std::uint64_t kMaxLeaseSeconds = 600;

Error bad(std::string text) { return Error{Errc::invalid_argument, std::move(text)}; }

}  // namespace

Result<RecvRequest> RecvRequest::parse(std::string_view query) {
  RecvRequest out;
  if (auto topic = http::query_value(query, "topic"); topic && !topic->empty()) {
    if (!is_name(*topic, kMaxTopicSize)) return bad("topic must be printable ASCII without spaces, at most 128 bytes");
    out.wanted.topic = *std::move(topic);
  }
  if (const auto from = http::query_value(query, "from"); from && !from->empty()) {
    const auto key = PublicKey::from_hex(*from);
    if (!key) return bad("from must be a peer id of 64 hexadecimal digits");
    out.wanted.sender = *key;
  }
  if (const auto wait = http::query_value(query, "wait")) {
    const auto seconds = http::parse_decimal(*wait);
    if (!seconds) return bad("wait must be a number of seconds");
    out.wait = std::chrono::seconds{std::min(*seconds, kMaxWaitSeconds)};
  }
  if (const auto ack = http::query_value(query, "ack")) {
    if (*ack != "0" && *ack != "1") return bad("ack must be 0 or 1");
    out.ack = *ack == "1";
  }
  if (const auto lease = http::query_value(query, "lease")) {
    const auto seconds = http::parse_decimal(*lease);
    if (!seconds || *seconds == 0 || *seconds > kMaxLeaseSeconds) return bad("lease must be from 1 to 600 seconds");
    out.lease = std::chrono::seconds{*seconds};
  }
  return out;
}

PublicKey shown_key(const Message& message, bool legacy_peer_id) {
  return legacy_peer_id ? message.address.partial_key() : message.sender;
}

std::string shown_sender(const Message& message, bool legacy_peer_id) {
  return shown_key(message, legacy_peer_id).to_hex();
}

http::Headers& MessageHeaders::of(const Message& message) {
  headers_.clear();
  headers_.add("Content-Type", "application/octet-stream");
  headers_.add("X-From-Peer-Id", senders_.of(shown_key(message, legacy_peer_id_)));
  headers_.add("X-Axl-From-Address", addresses_.of(message.address));
  if (!message.id.empty()) headers_.add("X-Axl-Message-Id", message.id);
  if (!message.topic.empty()) headers_.add("X-Axl-Topic", message.topic);
  return headers_;
}

}  // namespace axl::bridge
