// Statistics of a whole mesh: one question goes to every node of the tree, their values come back as one outcome.
//
//   auto statistics = *axl::Convergecast::attach(*node);
//   statistics->on_question([](const axl::Question& question) -> std::vector<axl::Contribution> {
//     if (question.name != "load") return {};
//     return {{.group = "", .value = axl::Number::from_double(load()).value()}};
//   });
//   statistics->ask({.name = "load", .operation = {.kind = axl::Operation::Kind::mean}},
//                   [](axl::Result<axl::Outcome> outcome) { ... });
//
// Outcomes are right for the nodes that are in them, each of them once, and say who is missing; Outcome::complete().
// Nodes without a Convergecast are missing, with all below them.
#pragma once

#include <axl/aggregation.hpp>
#include <axl/node.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace axl {

class AXL_API Convergecast {
 public:
  /// The overlay port on which nodes tell each other.
  static constexpr std::uint16_t kPort = 7004;

  /// What this node has to say; nothing: it abstains, as it does with values that do not fit the operation. On the
  /// loop; must not block.
  using QuestionHandler = std::function<std::vector<Contribution>(const Question& question)>;
  /// Takes what this node has to say, once, from any thread. After the question's time it is missing.
  using Answer = std::function<void(std::vector<Contribution> values)>;
  /// One that takes its time, or answers at once.
  using SlowQuestionHandler = std::function<void(const Question& question, Answer answer)>;
  /// Errors: invalid_argument, limit_reached (64 at once), busy, timed_out, not_supported (a merge unknown to the root).
  using OutcomeHandler = std::function<void(Result<Outcome> outcome)>;
  using ToldHandler = std::function<void(const Question& question, const Outcome& outcome)>;
  /// Two values of a custom operation become one; empty: they are not what they should be. Has to be associative, and
  /// commutative for outcomes that do not depend on the tree.
  using MergeFunction = std::function<std::optional<Bytes>(ByteSpan first, ByteSpan second)>;

  /// Takes what became of two values, once, from any thread. Without it in time, or when it is empty, the nodes behind
  /// the second one are missing.
  using Merged = std::function<void(std::optional<Bytes> merged)>;
  /// One that takes its time; it gets the next two when these have become one.
  using SlowMergeFunction = std::function<void(Bytes first, Bytes second, Merged merged)>;

  /// What came of a session of the older kind: sums by name over this node and those below it, over all at the root.
  struct OldOutcome {
    bool is_root = false;
    std::vector<Contribution> values;
    std::vector<PublicKey> received_from;  ///< children
    std::vector<PublicKey> missing;        ///< children; none: a success
  };
  /// Errors: not_supported (Options::legacy is off), invalid_argument, already_exists (it runs),
  /// limit_reached (16 at once).
  using OldOutcomeHandler = std::function<void(Result<OldOutcome> outcome)>;

  struct Options {
    /// No node has ever run with this key before, which is known of keys that the node has made for itself. Otherwise a
    /// node that has just started takes no part in what may be older than itself, because it may have answered that
    /// already. Of the first of a node.
    bool new_key = false;
    /// Programs of the older kind are heard: their `convergecast_data` messages are taken out of the receive queue. Once
    /// one Convergecast of the node wants it, for all of them.
    bool legacy = false;
  };

  /// The Convergecasts of a node take part as one: a question is put to them in the order of their making, and the first
  /// that has something to say speaks for the node. One must be destroyed before the node, and not by a handler.
  [[nodiscard]] static Result<std::unique_ptr<Convergecast>> attach(Node& node, Options options);
  [[nodiscard]] static Result<std::unique_ptr<Convergecast>> attach(Node& node) { return attach(node, Options{}); }
  Convergecast(const Convergecast&) = delete;
  Convergecast& operator=(const Convergecast&) = delete;
  ~Convergecast();  ///< no handler is called any more

  // From any thread; handlers run on the node's loop.
  void on_question(QuestionHandler handler);
  void on_question_slowly(SlowQuestionHandler handler);  ///< in place of the other
  /// Outcomes of questions that tell all.
  void on_told(ToldHandler handler);
  Result<void> add_merge(const std::string& name, MergeFunction merge);
  Result<void> add_merge_slowly(const std::string& name, SlowMergeFunction merge);
  /// Asks every node of the tree, this one too.
  void ask(Question question, OutcomeHandler handler);
  /// Takes part, with these values, in a session of the older kind, in which every node begins by itself: waits for the
  /// messages of the children, at most for `time`, and sends their sum to the parent.
  void join_old(std::string session, std::vector<Contribution> values, Duration time, OldOutcomeHandler handler);

 private:
  struct State;
  Convergecast(std::shared_ptr<State> state, std::uint64_t user) noexcept;
  std::shared_ptr<State> state_;
  std::uint64_t user_;
};

}  // namespace axl
