// One connection to a neighbour: the meta handshake, then frames both ways, until one side has had enough.
//
// Pure. The caller owns the stream, gives what it reads to read() and writes what poll_output() hands out:
//
//   ByteSpan rest = chunk;
//   while (auto event = link.read(rest, now)) ...   // Established once, then Message after Message
//   while (auto output = link.poll_output()) ...    // Write, or Failed as the last thing ever
//
// Direct messages (types 1 to 5) go ahead of queued ones (6 to 9). Queued ones wait here, not in the transport, while
// the transport holds `write_high` unsent bytes, so that the queue's rules see them.
//
// Sources: overlay links and sessions, sections 2.7, 2.8, 3 and 8.2; overlay routing, sections 3 and 6.
#pragma once

#include <axl/key.hpp>
#include <axl/result.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/buffer.hpp"
#include "core/ring.hpp"
#include "link/frame_reader.hpp"
#include "link/keepalive.hpp"
#include "link/packet_queue.hpp"

namespace axl::link {

class Link {
 public:
  /// What this link is told by its peer entry or listener.
  struct Options {
    std::uint8_t priority = 0;
    std::string password{};                ///< at most 64 bytes; empty for none
    std::vector<PublicKey> pinned_keys{};  ///< dial: one of these must answer; empty for any
    /// Incoming: who may connect; null for everyone.
    std::function<bool(const PublicKey&)> allowed{};
    /// The neighbour must sign something fresh before it carries anyone's packets: its meta can be replayed. Set it
    /// where keys are pinned or allowed by list.
    bool guarded = false;
  };
  struct Limits {
    Duration handshake{std::chrono::seconds{6}};
    Duration proof{std::chrono::seconds{10}};  ///< from the handshake to set_proven(), for guarded links
    std::size_t direct_backlog = std::size_t{1}
                                 << 20U;   ///< direct bytes waiting; beyond, the peer does not read: closed
    std::size_t write_high = 256U * 1024;  ///< transport's unsent bytes at which we stop handing out,
    std::size_t write_low = 64U * 1024;    ///< and at which we go on
    Keepalive::Config keepalive{};
    PacketQueue::Config queue{};
  };

  /// The handshake is done. Frames follow.
  struct Established {
    PublicKey key{};
    std::uint8_t priority = 0;  ///< the greater of both sides'; lower is preferred
  };
  /// One complete message; views the caller's bytes or the link's until the next call of read().
  struct Message {
    wire::FrameType type{};
    ByteSpan bytes{};               ///< type byte and body
    std::optional<Duration> rtt{};  ///< for SigRes: time since our last SigReq was handed out
  };
  using Event = std::variant<Established, Message>;

  /// Out: bytes for the transport, whole frames.
  struct Write {
    Buffer bytes;
  };
  /// Out: close the stream. Nothing follows.
  struct Failed {
    Error error;
    bool retry = true;  ///< false: dialling again cannot help, the other end is this node
  };
  using Output = std::variant<Write, Failed>;

  /// `started` is when the stream was connected or accepted, before any TLS handshake.
  Link(const PrivateKey& key, Options options, const Limits& limits, Time started);

  /// Takes bytes off the front of `input` up to the next event; empty once all is taken or the link has failed.
  [[nodiscard]] std::optional<Event> read(ByteSpan& input, Time now);
  /// Sends a message (type byte and body). `flow` matters for types 6 to 9 only. Too long a message is dropped.
  void send(Buffer message, const Flow& flow, Time now);
  /// How many bytes of what was handed out the transport still holds.
  void on_unsent(std::size_t bytes, Time now);
  /// The transport wants to hold less, or more again, than the limits say.
  void set_write_marks(std::size_t high, std::size_t low) noexcept;
  void on_tick(Time now);
  /// The neighbour has proven that it holds its key: the overlay's LinkProven.
  void set_proven(Time now);
  /// The caller gives up; poll_output() says so. For errors of the stream and of the layer above.
  void fail(Error error);

  [[nodiscard]] std::optional<Output> poll_output();
  [[nodiscard]] std::optional<Time> next_tick() const;

  [[nodiscard]] bool established() const noexcept { return state_ == State::up; }
  [[nodiscard]] bool failed() const noexcept { return state_ == State::failed; }
  [[nodiscard]] bool guarded() const noexcept { return options_.guarded; }
  /// Counts as up: established and, where guarded, proven.
  [[nodiscard]] bool usable() const noexcept { return established() && (proven_ || !options_.guarded); }
  [[nodiscard]] const std::optional<Established>& peer() const noexcept { return peer_; }
  /// Bytes that wait here for the transport. A writer above should hold back its own packets from 256 KiB on.
  [[nodiscard]] std::size_t queued_bytes() const noexcept { return direct_bytes_ + ready_bytes_ + queue_.bytes(); }
  [[nodiscard]] std::uint64_t rx_bytes() const noexcept { return rx_bytes_; }
  [[nodiscard]] std::uint64_t tx_bytes() const noexcept { return tx_bytes_; }
  [[nodiscard]] std::uint64_t dropped() const noexcept { return queue_.dropped() + refused_; }
  [[nodiscard]] Time started() const noexcept { return started_; }

 private:
  enum class State : std::uint8_t { handshake, up, failed };

  [[nodiscard]] std::optional<Event> read_meta(ByteSpan& input, Time now);
  [[nodiscard]] std::optional<Event> read_frames(ByteSpan& input, Time now);
  [[nodiscard]] std::optional<Failed> refuse(const PublicKey& key) const;
  void give_up(Failed why);
  void queue_direct(Buffer frame);
  [[nodiscard]] std::optional<Buffer> next_frame();
  void gather_into(Buffer& bytes);
  void note_sent(wire::FrameType type);
  void handed_out(const Buffer& bytes);

  Options options_;
  Limits limits_;
  PublicKey own_key_{};
  Time started_;
  Time now_;  // of the latest input
  State state_ = State::handshake;
  std::optional<Established> peer_;
  std::optional<Time> proof_by_;  // set while a guarded link is up and unproven
  bool proven_ = false;
  std::optional<Failed> failure_;  // until it is polled

  Bytes meta_;  // of the peer, while it arrives
  FrameReader reader_;
  Keepalive keepalive_;
  std::optional<Time> asked_at_;  // our last SigReq was handed out then

  Ring<Buffer> direct_;  // frames, length included
  Ring<Buffer> ready_;   // queued messages' frames that found the transport free
  PacketQueue queue_;
  std::size_t direct_bytes_ = 0;
  std::size_t ready_bytes_ = 0;
  std::size_t unsent_ = 0;
  bool blocked_ = false;  // from write_high down to write_low

  std::uint64_t rx_bytes_ = 0;
  std::uint64_t tx_bytes_ = 0;
  std::uint64_t refused_ = 0;  // messages too long, or of a neighbour that has proven nothing
};

}  // namespace axl::link
