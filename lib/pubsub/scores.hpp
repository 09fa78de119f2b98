// How badly peers have behaved, and who is left alone for it.
//
// Faults cost points, which fade by half in about ten seconds. Whoever has too many is grey: nothing of it is read and
// nothing sent to it, until few are left. That somebody does not send what it announced may be the network's fault, so
// it costs points only when half of what was asked lately did not come. Points outlive the connection.
#pragma once

#include <axl/key.hpp>
#include <cstddef>
#include <map>
#include <optional>
#include <vector>

namespace axl::pubsub {

class Scores {
 public:
  struct Config {
    double grey_at = 100;
    double forgiven_at = 20;
    double most = 400;    ///< points stop there, so a minute always clears them
    double fade = 0.93;   ///< what is left after a heartbeat
    std::size_t max_remembered = 1'024;  ///< peers with points; those with the fewest go

    // What faults cost.
    double malformed = 25;     ///< a body that is none
    double invalid = 25;       ///< a message without the signature that it needs, or too large
    double rejected = 10;      ///< a message that our user calls wrong
    double replay = 5;         ///< a message that this peer has sent before, more often than we may have asked
    double stale = 0.25;       ///< one that it has sent before, or that we no longer keep
    double early_graft = 10;   ///< a GRAFT during back-off
    double over_rate = 0.1;    ///< each body, and each id, beyond the rate
    double over_asking = 5;    ///< asking for one message again and again
    double broken_promise = 5; ///< see above
  };

  explicit Scores(const Config& config) noexcept : config_{config} {}

  [[nodiscard]] const Config& costs() const noexcept { return config_; }
  void add(const PublicKey& peer, double points);
  void on_asked(const PublicKey& peer, std::size_t messages);
  void on_promise_broken(const PublicKey& peer);
  void on_heartbeat();

  [[nodiscard]] bool grey(const PublicKey& peer) const;
  [[nodiscard]] double points(const PublicKey& peer) const;
  /// A peer that has become grey. Call until empty.
  [[nodiscard]] std::optional<PublicKey> poll_grey();
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    double points = 0;
    double asked = 0;   // these two fade too
    double broken = 0;
    bool grey = false;
  };
  Entry& entry(const PublicKey& peer);

  Config config_;
  std::map<PublicKey, Entry> entries_;
  std::vector<PublicKey> turned_grey_;
};

}  // namespace axl::pubsub
