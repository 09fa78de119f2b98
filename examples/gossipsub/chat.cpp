#include "chat.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "load_message.hpp"
#include "terminal_text.hpp"

namespace gossip {
namespace {

constexpr std::size_t kMostText = 4'096;   // bytes of what is said
constexpr std::size_t kMostShown = 400;    // characters of it in a line
constexpr std::size_t kMostName = 16;      // characters of a name
constexpr std::size_t kMostHeard = 256;    // members that are remembered; the one that was silent longest goes
constexpr std::size_t kMostLines = 200;
constexpr std::size_t kMostHistory = 60;
constexpr std::chrono::milliseconds kFrame{250};  // the view is drawn anew at most so often
constexpr std::chrono::seconds kMeasure{1};

std::string clock_text() {
  const auto now = std::time(nullptr);
  std::tm parts = {};
  localtime_r(&now, &parts);
  std::array<char, 16> out{};
  std::strftime(out.data(), out.size(), "%H:%M:%S", &parts);
  return out.data();
}

}  // namespace

Chat::Chat(const Options& options, axl::Node& node, axl::PubSub& pubsub, Events& events)
    : options_{options}, node_{node}, pubsub_{pubsub}, events_{events}, measured_{Clock::now()} {}

axl::Result<void> Chat::run() {
  const auto subscribed = pubsub_.subscribe(options_.topic, [this](const auto& message) { on_message(message); });
  if (!subscribed) return subscribed.error();
  if (options_.live || (!options_.plain && isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0)) {
    screen_ = std::make_unique<Screen>();
  }
  std::string greeting = options_.name + " is " + node_.key().to_hex();
  for (const auto& uri : node_.listeners()) greeting += ", listens on " + uri;
  add_line(greeting);
  redraw(true);
  axl::Result<void> outcome;
  auto drawn = Clock::now();
  while (outcome && !events_.ended()) {
    bool news = false;
    {
      const std::lock_guard lock{mutex_};
      news = news_;
    }
    events_.wait(screen_ ? std::optional{news ? drawn + kFrame : measured_ + kMeasure} : std::nullopt);
    bool typed = false;
    bool quit = false;
    while (const auto line = events_.next_line()) {
      typed = true;
      quit = quit || *line == "/quit";
      if (outcome && !quit && !line->empty()) outcome = say(*line);
    }
    if (quit) break;
    if (!screen_) continue;
    if (Clock::now() >= measured_ + kMeasure) measure();
    if (!typed && Clock::now() < drawn + kFrame) continue;
    redraw(typed);
    drawn = Clock::now();
  }
  pubsub_.unsubscribe(*subscribed);  // its handler is ours
  screen_.reset();
  return outcome;
}

void Chat::on_message(const axl::PubSubMessage& message) {
  {
    const std::lock_guard lock{mutex_};
    if (heard_.size() >= kMostHeard && !heard_.contains(message.origin)) {
      heard_.erase(std::ranges::min_element(heard_, {}, [](const auto& entry) { return entry.second.last; }));
    }
    auto& heard = heard_[message.origin];
    ++heard.messages;
    heard.last = Clock::now();
    news_ = true;
  }
  if (looks_like_load(message.body)) return;  // counted, but nobody wants to read it
  const auto body = message.body.text();
  const auto end = std::min(body.find('\n'), body.size());
  const auto name = shown(body.substr(0, end), kMostName);
  const auto text = shown(body.substr(std::min(end + 1, body.size())), kMostShown);
  {
    const std::lock_guard lock{mutex_};
    heard_[message.origin].name = name;
  }
  add_line(clock_text() + " " + name + " " + short_key(message.origin) +
           (message.proved() ? ": " : " (not proved): ") + text);
  events_.wake();
}

axl::Result<void> Chat::say(const std::string& text) {
  if (text.size() > kMostText) {
    add_line("that is longer than " + std::to_string(kMostText) + " bytes, and was not sent");
    return {};
  }
  if (screen_) add_line(clock_text() + " " + options_.name + ": " + shown(text, kMostShown));
  return pubsub_.publish(options_.topic, axl::to_bytes(options_.name + "\n" + text));
}

void Chat::add_line(const std::string& line) {
  const std::lock_guard lock{mutex_};
  if (!screen_) {
    std::fprintf(stdout, "%s\n", line.c_str());
    std::fflush(stdout);
    return;
  }
  lines_.push_back(line);
  if (lines_.size() > kMostLines) lines_.pop_front();
  news_ = true;
}

void Chat::redraw(bool prompt_again) {
  if (screen_) screen_->show(draw(view(), Screen::size()), prompt_again);
}

void Chat::measure() {
  const auto now = Clock::now();
  const auto counters = pubsub_.statistics();
  const std::chrono::duration<double> seconds = now - measured_;
  const auto rate = [&](std::uint64_t after, std::uint64_t before) {
    return static_cast<double>(after - before) / seconds.count();
  };
  per_second_ = {.published = rate(counters.published, before_.published),
                 .delivered = rate(counters.delivered, before_.delivered),
                 .copies_in = rate(counters.received, before_.received),
                 .copies_out = rate(counters.sent, before_.sent)};
  history_.push_back(per_second_.delivered);
  if (history_.size() > kMostHistory) history_.pop_front();
  before_ = counters;
  measured_ = now;
}

View::Who Chat::who(const axl::PublicKey& key) const {
  View::Who out{.name = {}, .key = short_key(key)};
  if (const auto found = heard_.find(key); found != heard_.end()) {
    out.name = found->second.name;
    out.messages = found->second.messages;
    out.since_last = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - found->second.last);
  }
  return out;
}

View Chat::view() {
  // These wait for the node's loop, and so for a handler that may wait for the lock: first.
  const auto topics = pubsub_.topics();
  const auto counters = pubsub_.statistics();
  const auto uris = node_.listeners();
  const std::lock_guard lock{mutex_};
  View out;
  out.self = {.name = options_.name, .key = short_key(node_.key())};
  out.where = uris.empty() ? "" : uris[0];
  out.topic = options_.topic;
  out.connected = counters.peers;
  std::vector<axl::PublicKey> mesh;
  for (const auto& topic : topics) {
    if (topic.name != options_.topic) continue;
    out.topic_peers = topic.peers;
    mesh = topic.mesh;
  }
  for (const auto& key : mesh) out.mesh.push_back(who(key));
  for (const auto& [key, heard] : heard_) {
    if (std::ranges::find(mesh, key) == mesh.end()) out.others.push_back(who(key));
  }
  out.per_second = per_second_;
  if (counters.delivered > 0) {
    out.copies_per_message = static_cast<double>(counters.received) / static_cast<double>(counters.delivered);
  }
  out.history = history_;
  out.lines = lines_;
  news_ = false;
  return out;
}

}  // namespace gossip
