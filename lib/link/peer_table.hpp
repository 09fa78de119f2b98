// Which links this node wants and has: configured peers, redialled for ever, and incoming links, forgotten when they
// end.
//
// Decides when to dial, whom to let in and what to close; it opens nothing itself. An entry has at most one connection
// at a time. Configured peers have room of their own, so that strangers cannot keep this node from dialling.
//
// Pure. Source: overlay links and sessions, sections 2.7, 2.9 and 2.10; the limits are ours (section 8.3).
#pragma once

#include <axl/key.hpp>
#include <axl/result.hpp>
#include <axl/time.hpp>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "link/uri.hpp"

namespace axl::link {

/// Names one entry as long as the table lives; never used again.
enum class EntryId : std::uint32_t {};

class PeerTable {
 public:
  struct Config {
    std::size_t max_links = 1024;                      ///< configured peers and incoming links together
    std::size_t max_handshakes = 64;                   ///< incoming links that have not shown their key yet,
    std::size_t max_handshakes_per_address = 8;        ///< and of these from one address; loopback is exempt
    Duration max_backoff{std::chrono::seconds{4096}};  ///< for peers whose URI does not say
  };

  /// Out: connect this entry, and tell how it went by on_connected, on_established and on_ended.
  struct Dial {
    EntryId entry{};
    Uri uri{};
    std::string source_interface{};  ///< empty for any
  };
  /// Out: close the entry's connection, or stop dialling it; the entry is gone already.
  struct Close {
    EntryId entry{};
  };
  using Output = std::variant<Dial, Close>;

  /// What topology shows of an entry.
  struct Row {
    EntryId entry{};
    std::string uri{};  ///< without query
    bool up = false;    ///< the handshake is done
    bool inbound = false;
    std::optional<PublicKey> key{};  ///< while up
    std::uint8_t priority = 0;
    std::uint64_t rx_bytes = 0;
    std::uint64_t tx_bytes = 0;
    Duration uptime{};         ///< since the connection, zero while there is none
    std::string last_error{};  ///< of the last end; empty while up
    std::optional<Duration> last_error_ago{};
  };

  PeerTable() : PeerTable{Config{}} {}
  explicit PeerTable(const Config& config) : config_{config} {}

  /// Adds a configured peer and dials it at once. Errc::already_exists when there is one with this URI (without query)
  /// and interface; if that one waits to be redialled, it is dialled now.
  /// Incoming links never take a configured peer's place, so this is refused only at `max_links` configured ones.
  Result<EntryId> add(Uri uri, std::string source_interface = {});
  /// Stops redialling and closes. Errc::not_found when there is no such configured peer.
  Result<void> remove(std::string_view identity, std::string_view source_interface = {});
  /// Ends the waits of all configured peers; the next backoff is no shorter for it.
  void kick();

  /// A listener has a connection. `remote_address` is the bare address, `remote` what stands for it in the URI
  /// ("192.0.2.1:4321"). Errors mean: close it.
  Result<EntryId> on_incoming(Scheme scheme, std::string_view remote, std::string_view remote_address, bool loopback,
                              Time now);
  /// The stream of a dialled entry is connected.
  void on_connected(EntryId entry, Time now);
  /// The handshake is done, and on a guarded link the neighbour has proven its key: the entry counts as up.
  void on_established(EntryId entry, const PublicKey& key, std::uint8_t priority);
  /// Dial failed, handshake failed or link ended. `retry` false: dialling again cannot help (Link::Failed::retry).
  /// Unknown entries are those that remove() took away: nothing happens.
  void on_ended(EntryId entry, const Error& error, bool retry, Time now);
  /// Bytes above TLS on the entry's connection so far.
  void set_traffic(EntryId entry, std::uint64_t rx_bytes, std::uint64_t tx_bytes);
  void on_tick(Time now);

  [[nodiscard]] std::optional<Output> poll_output();
  [[nodiscard]] std::optional<Time> next_tick() const;

  /// Outbound first, then by key, then in order of appearance.
  [[nodiscard]] std::vector<Row> rows(Time now) const;
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] std::size_t configured() const noexcept { return configured_; }
  [[nodiscard]] std::size_t incoming_handshakes() const noexcept { return handshakes_; }

 private:
  enum class State : std::uint8_t { waiting, dialling, handshake, up, stopped };

  struct Entry {
    State state = State::dialling;
    bool inbound = false;
    Uri uri{};  // inbound: only its identity
    std::string source_interface{};
    std::string remote_address{};   // inbound, counted against its limit; empty when exempt
    unsigned attempts = 0;          // n of the backoff rule
    std::optional<Time> dial_at{};  // set while waiting; redials_ has it too
    std::optional<Time> connected_at{};
    std::optional<PublicKey> key{};  // set while up
    std::uint8_t priority = 0;
    std::uint64_t rx_bytes = 0;
    std::uint64_t tx_bytes = 0;
    std::string last_error{};
    std::optional<Time> failed_at{};
  };
  using Entries = std::map<EntryId, Entry>;
  using Name = std::pair<std::string, std::string>;  // identity, interface

  void dial(EntryId id, Entry& entry);
  void handshake_over(Entry& entry);
  [[nodiscard]] Duration backoff(const Entry& entry) const;

  Config config_;
  std::uint32_t next_id_ = 1;
  Entries entries_;
  std::set<std::pair<Time, EntryId>> redials_;  // so that asking for the next one costs nothing, whatever the number
  std::map<Name, EntryId, std::less<>> names_;
  std::map<std::string, std::size_t, std::less<>> handshakes_per_address_;
  std::size_t configured_ = 0;
  std::size_t handshakes_ = 0;
  std::deque<Output> outputs_;
};

}  // namespace axl::link
