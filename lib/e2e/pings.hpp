// Round trips to keys, measured by what every node answers through an end-to-end session: the debug request for its
// key, and NodeInfo.
//
// Answers do not name their request. So the two questions take turns, each further one waits twice as long, and an
// answer counts for its own question only: a late one is not taken for an early one. Time runs from the question, which
// is asked once the session is up; the search for a path is no part of it.
//
// Pure. Source: overlay links and sessions, section 6.2.
#pragma once

#include <array>
#include <axl/key.hpp>
#include <axl/result.hpp>
#include <axl/time.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

namespace axl::e2e {

enum class PingId : std::uint64_t {};

/// What is asked, and what an answer belongs to.
enum class Question : std::uint8_t { self, node_info };

class Pings {
 public:
  struct Config {
    std::size_t max_pings = 256;                         ///< under way; more are refused
    Duration pace{std::chrono::milliseconds{100}};       ///< until the next attempt to ask, where put_off() says so
    Duration open_interval{std::chrono::seconds{1}};     ///< between two attempts to open a session
    Duration first_interval{std::chrono::seconds{2}};    ///< from the first question to the second; doubles
    Duration last_interval{std::chrono::seconds{16}};    ///< and no longer than this
  };
  /// Out: open a session with `key`, or ask it when there is one; then call asked(), or put_off().
  struct Reach {
    PublicKey key;
  };
  /// Out: how one ended. Errors: unreachable (there was nobody to ask), timed_out (no answer), or what fail() was given.
  struct Done {
    PingId id{};
    Result<Duration> round_trip{Duration{}};
  };

  explicit Pings(const Config& config) noexcept : config_{config} {}

  /// limit_reached when too many are under way. Several of one key share their questions.
  [[nodiscard]] Result<PingId> start(const PublicKey& key, Time deadline, Time now);
  /// A session with `key` has come up.
  void on_up(const PublicKey& key, Time now);
  void on_answer(const PublicKey& key, Question question, Time now);
  void fail(const PublicKey& key, const Error& error);
  void on_tick(Time now);

  /// The question to ask `key` now.
  [[nodiscard]] Question question_for(const PublicKey& key) const;
  /// That question has been sent.
  void asked(const PublicKey& key, Time now);

  /// It may not be asked now.
  void put_off(const PublicKey& key, Time now);

  [[nodiscard]] std::optional<Time> next_tick() const;
  [[nodiscard]] std::optional<Reach> next_reach();
  [[nodiscard]] std::optional<Done> next_done();
  [[nodiscard]] std::size_t under_way() const noexcept { return under_way_; }

 private:
  struct Waiting {
    PingId id{};
    Time deadline{};
  };
  struct Target {
    std::vector<Waiting> waiting;
    Time reach_at{};
    Duration interval{};
    std::size_t questions = 0;                 // asked so far
    std::array<std::optional<Time>, 2> since;  // when each question was asked last
  };

  void reach(const PublicKey& key, Target& target, Time now);
  void finish(const Target& target, const Result<Duration>& result);

  Config config_;
  std::map<PublicKey, Target> targets_;
  std::deque<PublicKey> reaches_;
  std::deque<Done> done_;
  std::size_t under_way_ = 0;
  std::uint64_t next_id_ = 1;
};

}  // namespace axl::e2e
