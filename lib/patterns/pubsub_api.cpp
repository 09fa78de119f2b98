#include "patterns/pubsub_api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <axl/node.hpp>
#include <string_view>
#include <vector>

#include "bridge/reply.hpp"
#include "http/target.hpp"
#include "mcp/json.hpp"
#include "node/node_state.hpp"
#include "patterns/reply.hpp"
#include "pubsub/message.hpp"

namespace axl::patterns {

namespace {

std::string keys_json(const std::vector<PublicKey>& keys) {
  std::string text = "[";
  for (const auto& key : keys) text += fmt::format("{}\"{}\"", text.size() > 1 ? "," : "", key.to_hex());
  return text + "]";
}

}  // namespace

PubSubApi::PubSubApi(Node& node, PubSubOptions options)
    : node_{node},
      options_{std::move(options)},
      host_{node.state().host()},
      timer_{host_.make_timer([this] { on_timer(); })} {}

Result<void> PubSubApi::take_part() {
  used_ = host_.now();
  if (pubsub_) return {};
  auto made = PubSub::create(node_, options_);
  if (!made) return made.error();
  pubsub_ = *std::move(made);
  arm();
  return {};
}

void PubSubApi::serve_list(http::Exchange exchange) {
  if (closed_ || !pubsub_) return respond_json(exchange, R"({"running":false,"peers":[],"topics":[]})");
  auto text = fmt::format(R"({{"running":true,"peers":{},"topics":[)", keys_json(pubsub_->peers()));
  bool first = true;
  for (const auto& topic : pubsub_->topics()) {
    const auto ours = topics_.find(topic.name);
    text += fmt::format(R"({}{{"topic":{},"mesh":{},"peers":{},"streams":{}}})", std::exchange(first, false) ? "" : ",",
                        mcp::json::quote(topic.name), keys_json(topic.mesh), topic.peers,
                        ours == topics_.end() ? 0 : ours->second.streams.size());
  }
  const auto counted = pubsub_->statistics();
  text += fmt::format(
      R"(],"published":{},"delivered":{},"received":{},"duplicates":{},"refused":{},"sent":{},"kept_messages":{},"kept_bytes":{}}})",
      counted.published, counted.delivered, counted.received, counted.duplicates, counted.refused, counted.sent,
      counted.kept_messages, counted.kept_bytes);
  respond_json(exchange, text);
}

void PubSubApi::serve_topic(http::Exchange exchange) {
  constexpr std::string_view kPrefix = "/pubsub/";
  if (closed_) return bridge::respond_busy(exchange, "The node is ending");
  const auto name = http::percent_decode(exchange.request().target.path().substr(kPrefix.size()));
  if (!name || !pubsub::is_topic(*name)) {
    return exchange.respond_error(400, "A topic is 1 to 128 printable ASCII characters without spaces around");
  }
  if (exchange.request().is("GET")) return serve_stream(std::move(exchange), *name);
  std::move(exchange).collect({.max_bytes = options_.max_body, .budget = &share_},
                              [this, name = *name](http::Exchange ready, Buffer body) {
                                publish(std::move(ready), name, std::move(body));
                              });
}

void PubSubApi::publish(http::Exchange exchange, const std::string& name, Buffer bytes) {
  if (closed_) return bridge::respond_busy(exchange, "The node is ending");
  if (const auto part = take_part(); !part) return respond_failed(exchange, part.error());
  auto owner = std::make_shared<const Buffer>(std::move(bytes));
  const MessageBody body{owner, owner->span()};
  const auto waiting = std::make_shared<http::Exchange>(std::move(exchange));
  const auto published = pubsub_->publish(name, body, [this, waiting, name, body](const PubSubReport& report) {
    respond_json(*waiting, fmt::format(R"({{"id":"{}","topic":{},"peers":{}}})", report.id, mcp::json::quote(name),
                                       report.peers));
    const auto& key = node_.key();
    add({name, report.id, key, key, key, 0, body});
  });
  if (!published) respond_failed(*waiting, published.error());
}

Result<PubSubApi::Topic*> PubSubApi::open(const std::string& name) {
  if (const auto part = take_part(); !part) return part.error();
  if (const auto found = topics_.find(name); found != topics_.end()) return &found->second;
  const auto subscription = pubsub_->subscribe(name, [this](const PubSubMessage& message) { add(message); });
  if (!subscription) return subscription.error();
  auto& topic = topics_[name];
  topic.subscription = *subscription;
  return &topic;
}

void PubSubApi::serve_stream(http::Exchange exchange, const std::string& name) {
  if (draining_) return exchange.respond(204, {}, {});  // tells an EventSource not to come again
  if (streams_ >= kMaxStreams) return bridge::respond_busy(exchange, fmt::format("{} streams are open", streams_));
  const auto opened = open(name);
  if (!opened) return respond_failed(exchange, opened.error());
  auto& topic = **opened;
  const auto last = std::string{exchange.request().headers.get("Last-Event-ID").value_or(std::string_view{})};
  const auto known = topic.feed.after(last);
  const bool forgotten = !last.empty() && !known;
  const auto next = known ? *known : forgotten ? topic.feed.begin() : topic.feed.end();
  const auto number = next_++;
  auto made = std::make_unique<FeedStream>(std::move(exchange), topic.feed, next, host_,
                                           [this, name, number] { end_stream(name, number); });
  ++streams_;
  topic.streams.emplace(number, std::move(made)).first->second->start(forgotten);
}

void PubSubApi::end_stream(const std::string& name, std::uint64_t number) {
  const auto topic = topics_.find(name);
  if (topic == topics_.end()) return;
  streams_ -= topic->second.streams.erase(number);
  used_ = topic->second.unused_since = host_.now();
  arm();
}

void PubSubApi::add(const PubSubMessage& message) {
  const auto topic = topics_.find(message.topic);
  if (topic == topics_.end()) return;
  topic->second.feed.add(message);
  std::size_t bytes = 0;
  for (const auto& [name, other] : topics_) bytes += other.feed.bytes();
  while (bytes > kMaxFeedBytes) {
    auto& largest = std::ranges::max_element(topics_, {}, [](const auto& entry) { return entry.second.feed.bytes(); })
                        ->second.feed;
    const auto before = largest.bytes();
    largest.drop_first();
    bytes -= before - largest.bytes();
  }
  for (const auto& [number, stream] : topic->second.streams) stream->go_on();
}

void PubSubApi::on_timer() {
  const auto now = host_.now();
  for (auto topic = topics_.begin(); topic != topics_.end();) {
    if (!topic->second.streams.empty() || now < topic->second.unused_since + kKeepTopic) {
      ++topic;
      continue;
    }
    pubsub_->unsubscribe(topic->second.subscription);
    topic = topics_.erase(topic);
  }
  if (!options_.legacy && topics_.empty() && now >= used_ + kKeepPart) pubsub_.reset();
  arm();
}

void PubSubApi::arm() {
  if (!pubsub_ || closed_) return;
  auto next = Time::max();
  if (!options_.legacy && topics_.empty()) next = used_ + kKeepPart;
  for (const auto& [name, topic] : topics_) {
    if (topic.streams.empty()) next = std::min(next, topic.unused_since + kKeepTopic);
  }
  if (next == Time::max()) {
    timer_->cancel();
  } else {
    timer_->arm(next);
  }
}

void PubSubApi::drain() {
  draining_ = true;
  for (const auto& [name, topic] : topics_) {
    for (const auto& [number, stream] : topic.streams) stream->finish();
  }
}

void PubSubApi::close() {
  closed_ = draining_ = true;
  timer_.reset();
  pubsub_.reset();
  topics_.clear();
}

}  // namespace axl::patterns
