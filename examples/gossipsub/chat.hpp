// A member that people use: what is typed is published, and what others say is shown, in a view of the mesh or as lines.
//
// A message is the speaker's name, a line feed, and the text. A name is only what somebody says; the key beside it is
// proved by a signature.
#pragma once

#include <axl/node.hpp>
#include <axl/pubsub.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "events.hpp"
#include "live_view.hpp"
#include "options.hpp"

namespace gossip {

class Chat {
 public:
  Chat(const Options& options, axl::Node& node, axl::PubSub& pubsub, Events& events);

  /// Until input ends, or /quit.
  [[nodiscard]] axl::Result<void> run();

 private:
  struct Heard {
    std::string name;
    std::uint64_t messages = 0;
    Clock::time_point last;
  };

  void on_message(const axl::PubSubMessage& message);
  [[nodiscard]] axl::Result<void> say(const std::string& text);
  void add_line(const std::string& line);
  void redraw(bool prompt_again);
  void measure();
  [[nodiscard]] View::Who who(const axl::PublicKey& key) const;
  [[nodiscard]] View view();

  const Options& options_;
  axl::Node& node_;
  axl::PubSub& pubsub_;
  Events& events_;
  std::unique_ptr<Screen> screen_;

  axl::PubSub::Statistics before_;  // at the last measure()
  Clock::time_point measured_;
  View::PerSecond per_second_;
  std::deque<double> history_;

  mutable std::mutex mutex_;  // over what the handler leaves for the main thread
  std::map<axl::PublicKey, Heard> heard_;
  std::deque<std::string> lines_;
  bool news_ = false;
};

}  // namespace gossip
