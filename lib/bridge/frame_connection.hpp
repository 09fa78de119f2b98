// One incoming connection on overlay port 7000. For the frame server.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/frame_server.hpp"
#include "core/stream.hpp"
#include "router/frame_reader.hpp"
#include "services/envelope_responder.hpp"

namespace axl::bridge {

class FrameConnection final : private StreamHandler {
 public:
  FrameConnection(FrameServer& server, std::uint64_t id, std::unique_ptr<tcpip::Connection> connection);
  FrameConnection(const FrameConnection&) = delete;
  FrameConnection& operator=(const FrameConnection&) = delete;
  ~FrameConnection();

  [[nodiscard]] const PublicKey& peer() const noexcept { return peer_; }
  /// Between frames, with nothing left to send.
  [[nodiscard]] bool idle() const;
  [[nodiscard]] bool closing() const noexcept { return closing_; }
  [[nodiscard]] Time idle_since() const noexcept { return last_activity_; }
  /// Nothing has come yet that could be a message, and it still may.
  [[nodiscard]] bool first_expected() const;
  /// The turn of a waiting first frame may have come.
  void look_for_turn();
  /// Sends what is queued, then ends.
  void close();
  /// Closes when the frame under way is done.
  void drain();

 private:
  enum class Withheld : std::uint8_t { no, budget, queue, answers, order, call };

  void on_data(Buffer data) override;
  void on_end() override;
  void on_writable() override;
  void on_drained() override;
  void on_closed(const Error* error) override;

  void go_on();
  [[nodiscard]] bool take(MessageBody body);
  [[nodiscard]] Withheld waits_for() const noexcept;
  [[nodiscard]] bool between_frames() const;
  [[nodiscard]] bool take_envelope(ByteSpan body);
  void on_answer(const Bytes& body);
  [[nodiscard]] bool offer();
  void first_is_done();
  void on_turn();
  void answer(std::string_view text);
  void withhold(Withheld why);
  void let_go();
  void arm();
  void time_out();
  void end_of_input(std::string_view why);
  [[nodiscard]] std::string short_name() const;  // for log lines
  template <class... Args>
  void log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) const;

  FrameServer& server_;
  const std::uint64_t id_;
  const PublicKey peer_;
  std::unique_ptr<tcpip::Connection> connection_;
  router::FrameReader reader_;
  BodyGate::Ticket ticket_;         // of the frame under way
  Buffer input_;                    // received, not yet read
  std::optional<Message> pending_;  // complete; waits for room in the queue, or for its turn
  std::optional<router::WriterId> writer_;
  std::unique_ptr<services::EnvelopeResponder::Call> call_;  // the envelope being answered; frames behind it wait
  Withheld withheld_ = Withheld::no;
  std::unique_ptr<Timer> timer_;
  std::optional<Duration> body_time_left_;  // of the frame's body, while reading is withheld
  Time body_deadline_{};
  bool in_body_ = false;  // body_deadline_ is set
  Time last_activity_;
  bool first_done_ = false;  // the first frame has been queued or answered
  bool ended_ = false;       // the peer sends no more
  bool closing_ = false;
  bool draining_ = false;
};

}  // namespace axl::bridge
