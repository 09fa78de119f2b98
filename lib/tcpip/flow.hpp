// One TCP connection from our side: what waits to be sent and to be read, what its owner asked for, and what its owner
// has to hear. lwIP's callbacks only note things here; the owner hears of them from deliver(), outside of lwIP.
//
// The stack owns it while it lives in lwIP, the Connection while the user holds it.
#pragma once

#include <axl/key.hpp>
#include <axl/result.hpp>
#include <axl/time.hpp>
#include <memory>
#include <optional>

#include "core/stream.hpp"
#include "tcpip/lwip.hpp"
#include "tcpip/receive_queue.hpp"
#include "tcpip/send_queue.hpp"
#include "tcpip/stack.hpp"

namespace axl::tcpip {

class Core;
struct Tag;

class Flow : public std::enable_shared_from_this<Flow> {
 public:
  enum class Phase : std::uint8_t {
    waiting,     // a connect that waits for its session
    connecting,  // SYN sent
    open,        // bytes may flow, at least in one direction
    closed,      // nothing of it is left in lwIP that its owner should hear of
  };

  Flow(Core& core, std::uint64_t id, const PublicKey& peer, Phase phase)
      : core_{&core}, id_{id}, peer_{peer}, phase_{phase} {}

  // --- for the Connection
  // ---------------------------------------------------------------------------------------------
  void set_handler(StreamHandler* handler);
  void write(Buffer data);
  [[nodiscard]] std::size_t unsent() const noexcept { return sending_.size(); }
  /// False: what is written is dropped, for the connection is over, though its handler may not have been told yet.
  [[nodiscard]] bool takes_writes() const noexcept {
    return phase_ == Phase::open && !wants_shutdown_ && core_ != nullptr;
  }
  [[nodiscard]] std::uint64_t acknowledged() const noexcept { return acknowledged_; }
  [[nodiscard]] std::uint64_t begun() const noexcept { return begun_; }
  [[nodiscard]] std::size_t high_mark() const noexcept;
  [[nodiscard]] std::size_t enough() const noexcept;
  void pause_reading() noexcept { paused_ = true; }
  void resume_reading();
  void expect(std::size_t bytes);
  void shutdown_send();
  void close();
  void abort();
  /// The Connection goes: what was closed goes on to its end, everything else is aborted.
  void let_go();

  [[nodiscard]] const PublicKey& peer() const noexcept { return peer_; }
  [[nodiscard]] std::uint16_t local_port() const noexcept { return local_port_; }
  [[nodiscard]] std::uint16_t remote_port() const noexcept { return remote_port_; }

  // --- for the stack
  // --------------------------------------------------------------------------------------------------
  /// Takes over a pcb whose SYN is about to be sent, or which has just been accepted.
  void attach(Tag& tag, Phase phase);
  /// Hands queued bytes and a wanted end of them to lwIP; with `output`, sends what may be sent.
  void pump(bool output);
  /// Whether the last segment changed the state in a way that has no callback.
  void on_segment();
  /// lwIP has freed the pcb, or keeps it only to wait out its last packets.
  void on_pcb_gone() noexcept;
  void fail(Error error);
  void on_deadline();
  /// Calls the handlers that are due. May destroy the Connection, not the Flow (its caller holds it).
  void deliver();
  /// The stack goes away: no call reaches it any more.
  void forget_core() noexcept;

  [[nodiscard]] Phase phase() const noexcept { return phase_; }
  [[nodiscard]] tcp_pcb* pcb() const noexcept { return pcb_; }
  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  [[nodiscard]] bool is_done() const noexcept { return phase_ == Phase::closed && pcb_ == nullptr && !held_; }

  Stack::ConnectHandler connect_handler;  // set until its one call
  std::optional<Duration> timeout;        // of the connect, later of the close: until the stack knows the time
  std::optional<Time> deadline;           // and from then on
  std::uint16_t wanted_port = 0;          // of a connect that waits for its session
  bool ready = false;                     // is in the stack's list of flows to deliver
  bool unflushed = false;                 // is in the stack's list of flows to pump

 private:
  static err_t on_received(void* arg, tcp_pcb* pcb, pbuf* chain, err_t error);
  static err_t on_sent(void* arg, tcp_pcb* pcb, u16_t count);
  static void on_error(void* arg, err_t error);
  static err_t on_connected(void* arg, tcp_pcb* pcb, err_t error);
  static err_t on_poll(void* arg, tcp_pcb* pcb);

  [[nodiscard]] std::size_t lwip_limit() const noexcept;
  [[nodiscard]] bool may_send() const noexcept;
  void measure_round_trip() noexcept;
  void finish_send();
  void discard_received();
  /// The reader has taken `count` bytes: adapts the window and tells the peer.
  void on_consumed(std::size_t count);
  [[nodiscard]] std::size_t adapt_window(std::size_t count);
  [[nodiscard]] std::size_t shrink_window(std::size_t count, std::size_t& by);
  void return_window(std::size_t count);
  void detach() noexcept;
  /// Removes it from lwIP, with a reset to the peer.
  void kill();
  void become_closed(std::optional<Error> error);
  void mark_ready();
  void mark_unflushed();

  Core* core_;
  std::uint64_t id_;
  PublicKey peer_;
  Phase phase_;
  tcp_pcb* pcb_ = nullptr;
  Tag* tag_ = nullptr;
  std::uint16_t local_port_ = 0;
  std::uint16_t remote_port_ = 0;

  StreamHandler* handler_ = nullptr;
  ReceiveQueue received_;
  SendQueue sending_;
  std::uint64_t acknowledged_ = 0;  // bytes, of all that were ever written
  std::uint64_t begun_ = 0;         // and those of them that lwIP was given
  std::optional<Time> asked_;       // when something was written while nothing was under way, until that is acknowledged
  std::optional<Error> error_;      // why it is closed, when not orderly

  bool paused_ = false;
  bool held_ = true;  // a Connection refers to it, or will
  bool was_open_ = false;
  bool wants_shutdown_ = false;  // end our direction after what is queued
  bool wants_close_ = false;     // and read no more
  bool wants_abort_ = false;     // asked for from inside of lwIP
  bool sent_fin_ = false;
  bool got_fin_ = false;
  bool told_end_ = false;
  bool told_closed_ = false;
  bool was_above_high_ = false;
  bool was_above_enough_ = false;
  bool owes_writable_ = false;
  bool owes_drained_ = false;

  std::size_t tail_fill_ = 0;  // bytes in lwIP's last unsent segment, modulo a whole one

  // The receive window.
  std::size_t unanswered_ = 0;  // bytes consumed since the last write
  std::size_t consumed_ = 0;    // since the last step of growth
  Time growth_began_{};
  Duration round_trip_{std::chrono::milliseconds{5}};  // of the handshake
  std::optional<Time> behind_since_;                   // since when more than the first window is unread
  std::size_t to_shrink_ = 0;                          // how much of the window is not given back when it is consumed
  std::size_t expected_ = 0;                           // what the reader has said to take, and has not taken yet
  Time expected_at_{};                                 // when it said so last
  std::size_t lent_ = 0;                               // part of the window that is there only for that

  friend class Core;
};

}  // namespace axl::tcpip
