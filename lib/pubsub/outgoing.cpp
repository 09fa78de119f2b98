#include "pubsub/outgoing.hpp"

#include <algorithm>
#include <utility>

#include "pubsub/compat_codec.hpp"

namespace axl::pubsub {

namespace {

std::uint16_t seconds_of(Duration time) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(time).count();
  return static_cast<std::uint16_t>(std::clamp<decltype(seconds)>(seconds, 0, 65'535));
}

}  // namespace

void Outgoing::topics(const Peer& peer, Topics::What what, const std::vector<std::string>& topics) {
  if (peer.form == Form::compat) return;
  Topics part{what, {}};
  for (std::size_t at = 0; at == 0 || at < topics.size(); at += kMaxTopicsPerBody) {
    const auto count = std::min(kMaxTopicsPerBody, topics.size() - at);
    part.topics.assign(topics.begin() + static_cast<std::ptrdiff_t>(at),
                       topics.begin() + static_cast<std::ptrdiff_t>(at + count));
    send(peer, encode(part));
    if (part.what == Topics::What::all) part.what = Topics::What::joined;
  }
}

void Outgoing::graft(const Peer& peer, std::string_view topic) {
  const Graft graft{std::string{topic}};
  send(peer, peer.form == Form::compat ? compat::encode(graft) : encode(graft));
}

void Outgoing::prune(const Peer& peer, std::string_view topic, Duration back_off,
                     const std::vector<PublicKey>& others) {
  const Prune prune{std::string{topic}, seconds_of(back_off), others};
  send(peer, peer.form == Form::compat ? compat::encode(prune) : encode(prune));
}

void Outgoing::message(const Peer& peer, MessageCache::Entry& entry) {
  auto& holder = entry.holder(peer.slot);
  if (holder.sent < 255) ++holder.sent;
  ++counters_.sent;
  if (peer.form == Form::compat) return send(peer, compat::encode(entry.message, own_));
  if (entry.encoded.empty()) entry.encoded = encode(entry.message);
  send(peer, entry.encoded);
}

void Outgoing::have(Peer& peer, const MessageCache::Entry& entry) {
  if (peer.blocked) {
    peer.missed = true;
    return;
  }
  peer.haves[entry.message.topic].push_back(entry.id);
  announcing_.insert(peer.slot);
}

std::optional<Output> Outgoing::poll(Time now) {
  if (next_ == outputs_.size()) flush(now);
  if (next_ == outputs_.size()) return std::nullopt;
  std::optional<Output> out{std::move(outputs_[next_++])};
  if (next_ == outputs_.size()) {
    outputs_.clear();
    next_ = 0;
  }
  return out;
}

void Outgoing::flush(Time now) {
  for (const auto slot : std::exchange(announcing_, {})) {
    if (auto* peer = peers_.find(slot)) flush_haves(*peer);
  }
  while (const auto slot = wants_.poll_ready()) {
    if (auto* peer = peers_.find(*slot); peer != nullptr && !peer->blocked) flush_wants(*peer, now);
  }
}

void Outgoing::flush_haves(Peer& peer) {
  for (auto& [topic, ids] : std::exchange(peer.haves, {})) {
    compat::HaveNames names{topic, {}};
    Have have{topic, {}};
    for (const auto& id : ids) {
      auto* entry = cache_.find(id);
      if (entry == nullptr) continue;
      ++counters_.announced;
      if (peer.form == Form::compat) {
        names.names.push_back(entry->message.name);
        if (peer.quiet) ++peer.unanswered;
        if (names.names.size() < compat::kAskAtMost) continue;
        send(peer, compat::encode(names));
        names.names.clear();
      } else if (have.ids.push_back(id); have.ids.size() == kMaxHaveIds) {
        send(peer, encode(have));
        have.ids.clear();
      }
    }
    if (!have.ids.empty()) send(peer, encode(have));
    if (!names.names.empty()) send(peer, compat::encode(names));
  }
}

void Outgoing::flush_wants(Peer& peer, Time now) {
  const bool native = peer.form == Form::native;
  const auto most = native ? kMaxWantIds : compat::kAskAtMost;
  while (true) {
    auto ids = wants_.take_asks(peer.slot, most, now, native ? 1 : config_.compat_patience);
    if (ids.empty()) return;
    counters_.asked += ids.size();
    scores_.on_asked(peer.key, ids.size());
    if (native) {
      send(peer, encode(Want{std::move(ids)}));
      continue;
    }
    compat::WantNames names;
    for (const auto& id : ids) {
      if (const auto* name = wants_.name(id)) names.names.push_back(*name);
    }
    send(peer, compat::encode(names));
  }
}

}  // namespace axl::pubsub
