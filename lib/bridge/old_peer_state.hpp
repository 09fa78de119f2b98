// What requests to old peers share: the bodies that come, the calls under way, the sessions. For OldPeerRequests.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "bridge/body_gate.hpp"
#include "bridge/old_peer_call.hpp"
#include "bridge/old_peer_requests.hpp"
#include "bridge/old_peer_sessions.hpp"
#include "bridge/upload.hpp"

namespace axl::bridge {

struct OldPeerRequests::State {
  State(const OldPeerConfig& old_peer_config, Host& node);
  ~State();

  /// Takes the body of the answer frame.
  using AnswerHandler = std::function<void(http::Exchange exchange, const MessageBody& answer)>;

  /// Reads the body, then hands it on.
  void receive(http::Exchange exchange, UploadHandler handler);
  /// Sends the envelope, after those that wait for the same peer. Errors are answered here, as section 3.4 says; a
  /// client that goes ends the call.
  void call(http::Exchange exchange, const PublicKey& peer, std::string envelope, BodyGate::Ticket ticket,
            AnswerHandler handler);
  [[nodiscard]] std::size_t under_way() const noexcept { return uploads.under_way() + calls.size(); }

  class Running;
  /// The calls to one peer.
  struct Lane {
    std::size_t started = 0;
    std::deque<Running*> waiting;
  };
  void start_waiting(const PublicKey& peer);

  const OldPeerConfig config;
  Host& host;
  BodyGate requests;  // bodies of clients
  BodyGate answers;   // of peers
  Uploads uploads;
  OldPeerSessions sessions{{}};
  std::map<std::uint64_t, std::unique_ptr<Running>> calls;
  std::map<PublicKey, Lane> lanes;  // of peers with calls
  std::uint64_t next_call = 1;
};

/// A JSON answer that came from a peer.
void respond_json(http::Exchange& exchange, std::string_view json, http::Headers headers = {});

}  // namespace axl::bridge
