// One node's part in aggregations over the spanning tree: a question goes up to the root, a request floods down from
// it, the answers converge on their way up, and the outcome goes back to who asked.
//
// Right, or marked partial, never wrong. Each session has a nonce of the root. A node takes the request of one parent,
// its present one, once, and tells every other that it is taken. A node counts one part of a child that it has asked,
// and says what it counted to the one parent that asked it. So every node is in the account at most once, also when
// parents change under way. Who was asked and did not answer is named as missing. A node between two parents is
// nobody's child, so an account also says when children came or went, from a while before it (Config::settle) until
// its end. A restarted node no longer knows what it answered, so it declines sessions that may be older than itself.
//
// Parents give their children less time than they have themselves. What may have been lost is said again, and nothing
// is counted twice for it. All of this holds among nodes that follow it: one that lies can make up what is below it in
// the tree, which nobody can check, and nothing else; a root that lies can make up everything.
//
// Pure. Bodies are carried by the caller, each to the node with that very key, which is also how the sender is known.
// The clocks of nodes may show anything, but run alike.
#pragma once

#include <axl/aggregation.hpp>
#include <axl/message.hpp>
#include <axl/random.hpp>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "convergecast/asks.hpp"
#include "convergecast/session.hpp"
#include "convergecast/tree_view.hpp"

namespace axl::convergecast {

/// A body for a peer. One that cannot be delivered may be dropped.
struct Send {
  PublicKey to;
  MessageBody body;
};
/// What has this node to say? Answer with contribute().
struct Wanted {
  Nonce session{};
  Question question;
  Time until{};  ///< later it is missing
};
/// Two values of a custom operation that is merged elsewhere are to become one. Answer with on_merged().
struct Merging {
  Nonce session{};
  std::string merge;
  Bytes first;
  Bytes second;
};
/// A question of this node has ended. Errors, after its time and half of it again: busy (too many at once),
/// timed_out (no answer from above); at once: not_supported (the root does not know the merge).
struct Finished {
  Token question{};
  Result<Outcome> outcome;
};
/// The outcome of a session that tells all who took part.
struct Told {
  Question question;
  Outcome outcome;
};
using Output = std::variant<Send, Wanted, Merging, Finished, Told>;

struct Config {
  /// How long a node may take from one parent to the next.
  Duration settle{std::chrono::seconds{5}};
  /// No node has had this key before, so there are no answers of an earlier life.
  bool new_key = false;

  std::size_t max_running = 256;          ///< sessions that collect; of more, requests are declined, questions refused
  std::size_t max_sessions = 4096;        ///< those and the ones remembered for their time; the same
  std::size_t max_children = 1024;        ///< asked in one session; the others are missing
  std::size_t max_held_bytes = 8u << 20;  ///< of answers kept to be said again, which are not kept then, and of custom
                                          ///< parts that wait to be merged, which are missing then
  Asks::Limits asks{64, 256, 1024};
};

class Engine {
 public:
  /// `rng` must outlive the engine.
  Engine(const Config& config, const PublicKey& own, Rng& rng, Time now);

  /// A merge for custom operations; already_exists, invalid_argument.
  Result<void> add_merge(const std::string& name, Merge merge);
  /// The same, whose values are merged elsewhere: Merging.
  Result<void> add_slow_merge(const std::string& name);

  /// The place in the tree, whenever it may have changed. `parent` is our own key at the root.
  void on_tree(const PublicKey& parent, std::span<const PublicKey> children, Time now);
  /// A body from a peer. An error says that it was malformed.
  Result<void> on_message(const PublicKey& from, ByteSpan body, Time now);
  void on_tick(Time now);

  /// Asks. The answer comes as Finished with the token. Errors: invalid_argument, limit_reached.
  Result<Token> ask(Question question, Time now);
  /// No Finished comes any more.
  void cancel(const Token& question);
  /// What this node has to say, for a Wanted; nothing: it abstains. Errors: not_found (over, or said already),
  /// invalid_argument and too_large (say something else).
  Result<void> contribute(const Nonce& session, const std::vector<Contribution>& values);

  /// For a Merging; empty: the two do not go together. Without it, or after the session's time, the child is missing.
  void on_merged(const Nonce& session, std::optional<Bytes> merged);

  [[nodiscard]] std::optional<Output> poll_output();
  [[nodiscard]] std::optional<Time> next_tick() const;

  struct Stats {
    std::uint64_t malformed = 0;
    std::uint64_t ignored = 0;   ///< from senders who had no business saying it, or late
    std::uint64_t declined = 0;  ///< requests
    std::uint64_t refused = 0;   ///< questions of children
    std::size_t running = 0;
    std::size_t sessions = 0;
    std::size_t asks = 0;
    std::size_t held_bytes = 0;
  };
  [[nodiscard]] Stats stats() const;

 private:
  void take(const PublicKey& from, const Ask& ask, Time now);
  void take(const PublicKey& from, const Request& request, Time now);
  Result<void> take(const PublicKey& from, const PartView& part, Time now);
  void take(const PublicKey& from, const Decline& decline);
  Result<void> take(const PublicKey& from, const AnswerView& answer);
  Result<void> take(const PublicKey& from, const ResultView& result);

  void pursue(const Asks::Id& id, Asks::Entry& entry, Time now);
  void open(const Asks::Id& id, Asks::Entry& entry, Time now);
  void refuse(const Asks::Id& id, Status status);
  void answer(const Asks::Id& id, const Session& session);
  void begin(const Nonce& nonce, Session session, Time now);
  void request(const Nonce& nonce, const Session& session, const PublicKey& child, Time now);
  void close_if_ready(const Nonce& nonce, Session& session);
  void wind_up(const Nonce& nonce, Session& session);
  void close(const Nonce& nonce, Session& session);
  void tell(const Nonce& nonce, Session& session, const Marks& marks, const Groups& groups, ByteSpan encoded);
  void set_due(const Nonce& nonce, Session& session);
  void forget(const Nonce& nonce);
  [[nodiscard]] std::optional<Reason> objection(const PublicKey& from, const Request& request, Time now) const;
  [[nodiscard]] bool knows(const Operation& operation) const;
  [[nodiscard]] bool is_slow(const Operation& operation) const;
  [[nodiscard]] const Merge* merge_of(const Operation& operation) const;
  [[nodiscard]] Session* find(const Nonce& nonce);
  void send(const PublicKey& to, Bytes body) { outputs_.emplace_back(Send{to, MessageBody{std::move(body)}}); }
  void keep(Session& session, Bytes bytes);

  Config config_;
  PublicKey own_;
  Rng& rng_;
  Time started_;
  TreeView tree_;
  Asks asks_;
  std::map<std::string, Merge, std::less<>> merges_;  // empty: elsewhere
  std::map<Nonce, Session> sessions_;
  std::set<std::pair<Time, Nonce>> due_;
  std::size_t running_ = 0;
  std::size_t held_bytes_ = 0;
  std::deque<Output> outputs_;
  Stats counters_;
};

/// What an outcome says, from what it is made of.
[[nodiscard]] Outcome outcome_of(const Marks& marks, const Groups& groups, const Operation& operation);

}  // namespace axl::convergecast
