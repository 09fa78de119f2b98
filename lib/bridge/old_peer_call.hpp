// One envelope to a peer's port 7000, and the one frame that answers it, on a connection of their own.
//
// Source: bridge, sections 3.4, 3.5 and 4 (requester).
#pragma once

#include <axl/bytes.hpp>
#include <axl/key.hpp>
#include <axl/result.hpp>
#include <functional>
#include <memory>
#include <string>

#include "bridge/body_gate.hpp"
#include "bridge/host.hpp"
#include "core/stream.hpp"
#include "router/frame_reader.hpp"

namespace axl::bridge {

struct OldPeerConfig;

class OldPeerCall final : private StreamHandler {
 public:
  /// Called once, never inside the constructor; may destroy the call. An error's text is what the client is told;
  /// limit_reached means that nothing was tried.
  using Handler = std::function<void(Result<MessageBody> answer)>;

  OldPeerCall(const OldPeerConfig& config, Host& host, BodyGate& gate, const PublicKey& peer, std::string envelope,
              Handler handler);
  OldPeerCall(const OldPeerCall&) = delete;
  OldPeerCall& operator=(const OldPeerCall&) = delete;
  ~OldPeerCall();  ///< closes the connection

 private:
  void on_data(Buffer data) override;
  void on_end() override;
  void on_drained() override { sent_ = true; }
  void on_closed(const Error* error) override;

  void start(std::unique_ptr<tcpip::Connection> connection);
  void go_on();
  void fail(Errc code, std::string text);
  void finish(Result<MessageBody> answer);

  const OldPeerConfig& config_;
  Host& host_;
  BodyGate& gate_;
  const PublicKey peer_;
  std::string envelope_;
  Handler handler_;
  std::unique_ptr<tcpip::Connection> connection_;  // once it is up
  router::FrameReader reader_;
  BodyGate::Ticket ticket_;  // of the answer
  Buffer input_;             // received, not yet read
  bool sent_ = false;        // the peer's TCP has acknowledged the request
  bool paused_ = false;      // the answer finds no room for now
  std::unique_ptr<Timer> timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace axl::bridge
