#include "load.hpp"

#include <cmath>
#include <cstdio>
#include <sstream>

#include "load_message.hpp"

namespace gossip {
namespace {

void tell(const std::string& line) {
  std::fprintf(stdout, "%s\n", line.c_str());
  std::fflush(stdout);
}

}  // namespace

Load::Load(const Options& options, axl::Node& node, axl::PubSub& pubsub, Events& events)
    : options_{options},
      node_{node},
      pubsub_{pubsub},
      events_{events},
      total_{static_cast<std::uint64_t>(std::llround(options.rate * options.seconds))} {}

axl::Result<void> Load::run() {
  const auto subscribed = pubsub_.subscribe(options_.topic, [this](const auto& message) { on_message(message); });
  if (!subscribed) return subscribed.error();
  const auto uris = node_.listeners();
  tell(R"({"event": "ready", "name": ")" + options_.name + R"(", "key": ")" + node_.key().to_hex() + R"(", "uri": ")" +
       (uris.empty() ? "" : uris[0]) + "\"}");
  axl::Result<void> outcome;
  while (outcome && !events_.ended()) {
    std::optional<Clock::time_point> next;
    if (going_ && published_ < total_) {
      next = begin_ + std::chrono::duration_cast<Clock::duration>(
                          std::chrono::duration<double>{static_cast<double>(published_) / options_.rate});
    }
    events_.wait(next);
    while (const auto line = events_.next_line()) {
      if (outcome) outcome = obey(*line);
    }
    if (outcome) outcome = publish_due();
    tell_if_done();
  }
  pubsub_.unsubscribe(*subscribed);  // its handler is ours
  return outcome;
}

void Load::on_message(const axl::PubSubMessage& message) {
  const auto now = Clock::now();
  const auto load = decode(message.body);
  const std::lock_guard lock{mutex_};
  if (!load || !message.proved()) return tally_.add_wrong();
  tally_.add(message.origin, load->sequence, now - load->published);
  if (tally_.complete()) events_.wake();
}

axl::Result<void> Load::obey(const std::string& line) {
  if (line == "mesh") {
    tell(mesh());
  } else if (line == "result") {
    tell(result());
  } else if (line.starts_with("go ") && !going_) {
    return go(line.substr(3));
  } else {
    return axl::Error{axl::Errc::invalid_argument, "`mesh`, `result` or, once, `go KEY...`"};
  }
  return {};
}

axl::Result<void> Load::go(const std::string& keys) {
  std::vector<axl::PublicKey> origins;
  std::istringstream words{keys};
  for (std::string word; words >> word;) {
    const auto key = axl::PublicKey::from_hex(word);
    if (!key) return key.error();
    origins.push_back(*key);
  }
  {
    const std::lock_guard lock{mutex_};
    tally_.expect(origins, total_);
  }
  going_ = true;
  // Not all at the same moment.
  std::random_device random;
  const std::chrono::duration<double> wait{std::uniform_real_distribution{0.0, 1 / options_.rate}(random)};
  begin_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(wait);
  return {};
}

axl::Result<void> Load::publish_due() {
  if (!going_) return {};
  const std::chrono::duration<double> since = Clock::now() - begin_;
  while (published_ < total_ && static_cast<double>(published_) <= since.count() * options_.rate) {
    auto body = encode({.sequence = published_, .published = Clock::now()});
    if (const auto sent = pubsub_.publish(options_.topic, std::move(body)); !sent) return sent;
    ++published_;
  }
  return {};
}

void Load::tell_if_done() {
  if (done_ || !going_ || published_ < total_) return;
  {
    const std::lock_guard lock{mutex_};
    done_ = tally_.complete();
  }
  if (done_) tell(R"({"event": "done"})");
}

std::string Load::mesh() const {
  std::string out = R"({"event": "mesh", "mesh": [)";
  std::size_t subscribers = 0;
  for (const auto& topic : pubsub_.topics()) {
    if (topic.name != options_.topic) continue;
    subscribers = topic.peers;
    for (const char* between = ""; const auto& key : topic.mesh) {
      out += between + ("\"" + key.to_hex()) + "\"";
      between = ", ";
    }
  }
  const auto counters = pubsub_.statistics();
  out += "], \"subscribers\": " + std::to_string(subscribers) + ", \"connected\": " + std::to_string(counters.peers);
  out += ", \"published\": " + std::to_string(counters.published);
  out += ", \"delivered\": " + std::to_string(counters.delivered);
  out += ", \"received\": " + std::to_string(counters.received);
  out += ", \"duplicates\": " + std::to_string(counters.duplicates);
  out += ", \"sent\": " + std::to_string(counters.sent) + "}";
  return out;
}

std::string Load::result() const {
  const std::lock_guard lock{mutex_};
  return R"({"event": "result", "published": )" + std::to_string(published_) + ", " + tally_.json() + "}";
}

}  // namespace gossip
