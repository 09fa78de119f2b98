// Aggregations among peers of the older kind, in which this node takes part as one of them.
//
// Nobody asks: every node begins by itself, waits for the parts of its children, adds them up, and sends the sum to its
// parent. There are no nonces, so a part is for whoever runs, or will soon run, a session of that name; and one part of
// a child is used, the first. What the old nodes do wrong is not done here: the root knows that it is it, a part counts
// only from a present child under its own key, and what is not for us is left to others.
//
// Pure. Source: bridge, section 10.2.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "convergecast/groups.hpp"
#include "convergecast/old_form.hpp"
#include "convergecast/tree_view.hpp"

namespace axl::convergecast {

/// A message for a peer, of the kind that old peers read from their queue.
struct OldSend {
  PublicKey to;
  Bytes body;
};
struct OldFinished {
  std::string session;
  bool is_root = false;                               ///< then `data` is of all nodes, else of this one and those below
  std::vector<std::pair<std::string, Number>> data;  ///< by ascending name
  std::vector<PublicKey> received_from;               ///< sorted
  std::vector<PublicKey> missing;                     ///< sorted; empty: a success
};
using OldOutput = std::variant<OldSend, OldFinished>;

class OldRuns {
 public:
  static constexpr std::size_t kMaxRuns = 16;
  static constexpr std::size_t kMaxEarly = 256;             ///< parts of sessions that do not run yet; the oldest goes
  static constexpr std::size_t kMaxEarlyBytes = 1u << 20;  ///< as they came
  static constexpr Duration kKeepEarly{std::chrono::minutes{1}};

  OldRuns(const PublicKey& own, Time now) : own_{own}, tree_{own, now} {}

  void on_tree(const PublicKey& parent, std::span<const PublicKey> children, Time now);
  /// Whether the message was one of these, and is used up. Others are left to whoever reads messages.
  bool on_message(const PublicKey& from, ByteSpan body, Time now);
  void on_tick(Time now);

  /// Takes part with these values. Errors: invalid_argument, already_exists (it runs), limit_reached.
  Result<void> start(const std::string& session, const std::vector<Contribution>& values, Duration time, Time now);

  [[nodiscard]] std::optional<OldOutput> poll_output();
  [[nodiscard]] std::optional<Time> next_tick() const;
  [[nodiscard]] std::size_t early_parts() const noexcept { return early_.size(); }

 private:
  struct Run {
    Time until{};
    std::set<PublicKey> waiting;
    std::vector<PublicKey> received;
    std::vector<PublicKey> refused;
    Groups sum;
  };
  struct Early {
    OldPart part;
    std::size_t size = 0;
    Time until{};
  };

  void add(Run& run, const OldPart& part);
  void forget_early(std::deque<Early>::iterator entry);
  void finish_if_ready(const std::string& session, Time now);

  PublicKey own_;
  TreeView tree_;
  std::map<std::string, Run> runs_;
  std::deque<Early> early_;  // oldest first
  std::size_t early_bytes_ = 0;
  std::deque<OldOutput> outputs_;
};

}  // namespace axl::convergecast
