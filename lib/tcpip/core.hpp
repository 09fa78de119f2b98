// The stack itself: one lwIP context and everything around it. See stack.hpp for the contract.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/ring.hpp"
#include "tcpip/flow.hpp"
#include "tcpip/lwip.hpp"
#include "tcpip/peers.hpp"
#include "tcpip/stack.hpp"

namespace axl::tcpip {

class Core {
 public:
  Core(const Stack::Config& config, const PublicKey& own_key, Rng& rng, StackHost& host, Logger logger, Time now);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // --- what Stack offers
  // ----------------------------------------------------------------------------------------------
  void input(const PublicKey& source, Buffer packet, Time now);
  void on_tick(Time now);
  void on_output_ready(Time now);
  void on_session_up(const PublicKey& key, Time now);
  void on_connect_failed(const PublicKey& key, const Error& error);
  [[nodiscard]] std::optional<Time> next_tick() const;
  void run_handlers();
  void run_handlers(Time now);
  Result<void> listen(std::uint16_t port, Stack::AcceptHandler handler);
  void stop_listening(std::uint16_t port);
  void connect(const PublicKey& key, std::uint16_t port, Duration timeout, Stack::ConnectHandler handler);
  [[nodiscard]] Stack::Stats stats() const;

  // --- for flows
  // ------------------------------------------------------------------------------------------------------
  [[nodiscard]] axl_lwip_context& context() noexcept { return context_; }
  [[nodiscard]] const Stack::Config& config() const noexcept { return config_; }
  [[nodiscard]] Time now() const noexcept { return now_; }
  [[nodiscard]] bool inside() const noexcept { return inside_ > 0; }
  void add_ready(Flow& flow);
  void add_unflushed(Flow& flow);
  /// The flow's on_deadline() is called after `timeout`, counted from the next call that tells the time.
  void set_timeout(Flow& flow, Duration timeout);
  void clear_timeout(Flow& flow);
  /// How much of `bytes` a receive window of `peer` may be larger, for a while.
  [[nodiscard]] std::size_t lend_window(Peer& peer, std::size_t bytes) noexcept;
  void end_loan(Peer& peer, std::size_t bytes) noexcept;
  /// Forgets a flow that has ended everywhere.
  void drop_if_done(Flow& flow);
  /// A connect that waited for its session waits no more.
  void stop_waiting(Flow& flow);
  /// One of our connects has been answered, or is no more: the next to that peer may go.
  void end_opening(Tag& tag);
  /// The flow's pcb lives on without it, to answer late packets.
  void on_time_wait(Tag& tag) noexcept;
  /// Runs `action` as lwIP's caller.
  template <class Action>
  void enter(Action&& action) {
    const Entry entry{context_};
    ++inside_;
    if (!running_) {
      running_ = true;
      fast_time_ = now_;
      rebase_ = !dated_;
    }
    action();
    --inside_;
  }

  // --- for lwIP
  // -------------------------------------------------------------------------------------------------------
  void on_segment(tcp_pcb* pcb) noexcept;
  [[nodiscard]] tcp_pcb* find_active(std::uint16_t local_port, std::uint16_t remote_port) noexcept;
  void on_assertion(const char* text, const char* file, int line);
  [[nodiscard]] std::uint32_t random();
  [[nodiscard]] std::uint32_t initial_sequence(const ip_addr_t& local, std::uint16_t local_port,
                                               const ip_addr_t& remote, std::uint16_t remote_port) const;

 private:
  enum class Opened { by_us, by_peer };
  struct Listener {
    tcp_pcb* pcb = nullptr;
    std::shared_ptr<Stack::AcceptHandler> handler;
  };
  struct Arrival {
    PublicKey source;
    Buffer packet;
  };
  struct Reset {
    PublicKey dest;
    Buffer packet;
  };

  static err_t init_interface(netif* interface);
  static err_t output_packet(netif* interface, pbuf* chain, const ip6_addr_t* dest);
  err_t output(const pbuf* chain, const Address& dest);
  void tell_work();
  void keep_reset(const PublicKey& dest, Buffer packet);
  static err_t on_passive_open(u8_t id, tcp_pcb_listen* listener, tcp_pcb* pcb);
  static void on_pcb_destroyed(u8_t id, void* data);
  static err_t on_accepted(void* arg, tcp_pcb* pcb, err_t error);

  /// The running call tells the time.
  class Dated {
   public:
    Dated(Core& core, Time now) : core_{core}, before_{core.dated_} {
      core_.advance(now);
      core_.dated_ = true;
    }
    ~Dated() { core_.dated_ = before_; }
    Dated(const Dated&) = delete;
    Dated& operator=(const Dated&) = delete;

   private:
    Core& core_;
    bool before_;
  };

  void advance(Time now);
  void process(const PublicKey& source, Buffer packet);
  void settle();
  void flush();
  void run_timers();
  [[nodiscard]] bool has_pcbs() const noexcept {
    return context_.tcp_active_pcbs != nullptr || context_.tcp_tw_pcbs != nullptr;
  }
  [[nodiscard]] bool any_busy() const noexcept;
  void trim_time_wait();
  void resend();
  void retry_waiting();
  void start_connect(const std::shared_ptr<Flow>& flow);
  void open(const std::shared_ptr<Flow>& flow, Peer& peer);
  std::shared_ptr<Flow> make_flow(const PublicKey& peer, Flow::Phase phase);
  [[nodiscard]] Tag& make_tag(tcp_pcb* pcb, Peer& peer, std::uint16_t local, std::uint16_t remote, Opened opened);
  [[nodiscard]] std::uint16_t choose_port(const Peer& peer, std::uint16_t remote_port);
  [[nodiscard]] bool is_full() const noexcept { return connections_ >= config_.max_connections; }

  Stack::Config config_;
  PublicKey own_key_;
  Address own_address_;
  Rng& rng_;
  StackHost& host_;
  Logger logger_;
  std::array<std::byte, 32> isn_secret_{};

  axl_lwip_context context_{};
  netif interface_{};
  int inside_ = 0;  // depth of calls into lwIP
  bool delivering_ = false;
  bool shut_ = false;                          // no packet leaves any more
  const PublicKey* current_source_ = nullptr;  // sender of the packet in input: RST and ICMP replies go there
  Tag* touched_ = nullptr;                     // the connection that it belongs to
  PublicKey last_source_;                      // and its address, since packets of one peer come in rows
  Address last_address_;

  Peers peers_;
  std::map<std::uint16_t, Listener> listeners_;
  std::unordered_map<std::uint64_t, std::shared_ptr<Flow>> flows_;  // by id; iterated only when all goes
  std::uint64_t next_flow_id_ = 1;
  std::vector<std::shared_ptr<Flow>> waiting_;  // connects without a session, oldest first
  std::deque<std::shared_ptr<Flow>> accepted_;
  Ring<std::shared_ptr<Flow>> ready_;
  std::vector<std::shared_ptr<Flow>> unflushed_;
  std::vector<std::shared_ptr<Flow>> spare_flows_;  // empty, kept for its memory
  std::vector<Address> spare_addresses_;            // the same
  std::set<std::pair<Time, std::uint64_t>> deadlines_;
  std::vector<std::shared_ptr<Flow>> undated_;  // whose time-out begins when the time is known
  std::deque<Reset> resets_;                    // that could not leave at once
  std::size_t half_open_ = 0;                   // connects of peers, not yet accepted
  std::size_t connections_ = 0;                 // pcbs but those in TIME_WAIT, and waiting connects
  std::size_t time_wait_ = 0;                   // the others
  std::size_t lent_ = 0;                        // bytes of receive windows
  std::uint16_t next_port_ = 0;

  // What came while lwIP was running, that is from a host that calls back out of send_packet().
  Ring<Arrival> arrivals_;
  std::vector<PublicKey> sessions_up_;
  bool output_ready_ = false;

  // lwIP's clock: a fast tick every 25 ms, a slow one every other time, and none while all connections are at rest.
  // Connections' methods do not tell the time: what they begin is counted from the next call that does, due at once.
  Time now_;
  bool dated_ = false;              // now_ is the time of the running call
  bool rebase_ = false;             // ticks began in a call that did not tell the time
  Time fast_time_;                  // the last fast tick
  Time slow_time_;                  // what context_.tcp_ticks stands for
  bool running_ = false;            // ticks are needed
  Time idle_check_{};               // else: when keepalive and TIME_WAIT are looked after
  std::optional<Time> offered_;     // when blocked packets were last offered to the host
  std::optional<Time> retry_time_;  // when open_session() is asked again
  std::uint64_t filtered_ = 0;
  std::uint64_t asserts_ = 0;
};

}  // namespace axl::tcpip
