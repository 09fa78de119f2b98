// A member that publishes so much a second and counts what comes, told by lines of standard input what to do:
//
//   mesh       {"event": "mesh", ...}     the peers that it exchanges messages with, and its counters
//   go KEY...  publishes, and waits for as many of each of these; {"event": "done"} when that and all of these are here
//   result     {"event": "result", ...}   what has come of whom, and how long it took
#pragma once

#include <axl/node.hpp>
#include <axl/pubsub.hpp>
#include <mutex>
#include <random>
#include <string>

#include "events.hpp"
#include "options.hpp"
#include "tally.hpp"

namespace gossip {

class Load {
 public:
  Load(const Options& options, axl::Node& node, axl::PubSub& pubsub, Events& events);

  /// Until input ends.
  [[nodiscard]] axl::Result<void> run();

 private:
  void on_message(const axl::PubSubMessage& message);
  [[nodiscard]] axl::Result<void> obey(const std::string& line);
  [[nodiscard]] axl::Result<void> go(const std::string& keys);
  [[nodiscard]] axl::Result<void> publish_due();
  void tell_if_done();
  [[nodiscard]] std::string mesh() const;
  [[nodiscard]] std::string result() const;

  const Options& options_;
  axl::Node& node_;
  axl::PubSub& pubsub_;
  Events& events_;
  std::uint64_t total_;  // messages that we shall publish
  std::uint64_t published_ = 0;
  bool going_ = false;
  bool done_ = false;
  Clock::time_point begin_;

  mutable std::mutex mutex_;
  Tally tally_;
};

}  // namespace gossip
