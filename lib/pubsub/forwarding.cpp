#include "pubsub/forwarding.hpp"

#include <algorithm>
#include <utility>

namespace axl::pubsub {

Forwarding::Forwarding(Parts parts, Duration unix_at_zero)
    : config_{parts.config},
      key_{parts.key},
      rng_{parts.rng},
      verifier_{std::move(parts.verifier)},
      peers_{parts.peers},
      mesh_{parts.mesh},
      cache_{parts.cache},
      wants_{parts.wants},
      scores_{parts.scores},
      out_{parts.out},
      counters_{parts.counters},
      unix_at_zero_{unix_at_zero},
      seen_{config_.max_seen, config_.keep_seen},
      origins_{config_.max_origins, config_.messages_per_origin} {}

Forwarding::Published Forwarding::publish(std::string_view topic, MessageBody body, Time now) {
  const auto unix_time = std::chrono::floor<std::chrono::microseconds>(unix_at_zero_ + now.time_since_epoch()).count();
  last_sequence_ = std::max(last_sequence_ + 1, static_cast<std::uint64_t>(std::max<std::int64_t>(unix_time, 0)));
  PublishedMessage message{key_.public_key(), MessageName::make(last_sequence_, rng_), std::string{topic},
                           std::move(body),   0,                                        {}, {}};
  const auto hash = message.hash();
  if (config_.signatures == Signatures::required) message.sign(hash, key_);
  const auto id = PublishedMessage::id_of(hash);
  remember(message, id, {}, now);
  ++counters_.published;
  const auto alias = alias_of(message);
  auto* entry = cache_.add({id, std::move(message), {}, {}, true, {}}, alias);
  if (entry == nullptr) return {id, 0};

  // Of the mesh all, for the first step is the one that all others wait for; without a mesh as many as one has.
  std::vector<Peer*> to;
  const auto* ours = mesh_.find(topic);
  if (ours != nullptr) {
    for (const auto& key : ours->peers) {
      if (auto* peer = peers_.find(key)) to.push_back(peer);
    }
  }
  if (to.empty()) to = choose(mesh_.takers(topic), config_.mesh, rng_);
  Published report{id, 0};
  for (auto* peer : to) {
    if (peer->blocked) {
      peer->missed = true;
      continue;
    }
    if (peer->quiet) {
      out_.have(*peer, *entry);
      continue;
    }
    out_.message(*peer, *entry);
    ++report.peers;
  }
  return report;
}

void Forwarding::on_message(Peer& from, PublishedMessage message, Time now) {
  ++counters_.copies;
  const auto* topic = mesh_.find(message.topic);
  if (topic == nullptr) {
    ++counters_.ignored;
    return;
  }
  if (message.body.size() > config_.max_body) {
    ++counters_.refused;
    return scores_.add(from.key, scores_.costs().invalid);
  }
  const auto hash = message.hash();
  const auto id = PublishedMessage::id_of(hash);
  const auto alias = alias_of(message);
  if (const auto first_from = seen_.find(id)) {
    // The answer to our question for a name that was forgotten before the message is no fault.
    if (alias && !wants_.on_arrived(*alias).empty()) return seen_.add_name(*alias, now);
    return on_copy(from, id, *first_from);
  }
  const auto admission = admit(from, message, hash, now);
  if (admission == Admission::refuse) {
    ++counters_.refused;
    wants_.on_bad_copy(id, from.slot);
    return scores_.add(from.key, scores_.costs().invalid);
  }
  auto announcers = wants_.on_arrived(id);
  if (alias) {
    for (const auto peer : wants_.on_arrived(*alias)) announcers.push_back(peer);
  }
  remember(message, id, from.slot, now);
  if (admission == Admission::ignore) {
    ++counters_.ignored;
    return;
  }
  if (message.hops < 255) ++message.hops;
  auto* entry = cache_.add({id, std::move(message), {}, from.slot, !topic->judged, {}}, alias);
  if (entry == nullptr) return;
  auto& giver = entry->holder(from.slot);
  giver.has = true;
  giver.given = 1;
  for (const auto peer : announcers) entry->holder(peer).has = true;
  if (!entry->judged) return out_.push(Judge{received(*entry)});
  hand_on(*entry);
  ++counters_.delivered;
  out_.push(Deliver{received(*entry)});
}

void Forwarding::on_copy(Peer& from, const MessageId& id, PeerSlot first_from) {
  ++counters_.duplicates;
  auto* entry = cache_.find(id);
  if (entry == nullptr) {
    const auto& costs = scores_.costs();
    return scores_.add(from.key, first_from == from.slot ? costs.replay : costs.stale);
  }
  auto& holder = entry->holder(from.slot);
  holder.has = true;
  // On a slow connection the answers to all our questions come, late.
  if (holder.given <= config_.ask_tries) ++holder.given;
  if (holder.given > config_.ask_tries) {
    scores_.add(from.key, scores_.costs().replay);
  } else if (holder.given > 1) {
    scores_.add(from.key, scores_.costs().stale);
  }
}

Forwarding::Admission Forwarding::admit(const Peer& from, PublishedMessage& message, const PublishedMessage::Hash& hash,
                                        Time now) {
  if (message.origin == key_.public_key()) return Admission::ignore;  // of an earlier life of ours
  if (config_.signatures == Signatures::required) {
    if (message.signer) {
      if (!message.verify(hash, verifier_)) return Admission::refuse;
    } else if (from.form == Form::compat) {
      message.sign(hash, key_);
    } else {
      return Admission::refuse;
    }
    // A JSON peer that hands on a message of ours may have left out the signature, and do so long afterwards.
    const auto sequence = message.name.sequence();
    if (sequence && origins_.is_old(message.origin, *sequence)) return Admission::ignore;
  }
  if (!origins_.allow(message.origin, now)) {
    if (message.origin == from.key) scores_.add(from.key, scores_.costs().over_rate);
    return Admission::ignore;
  }
  return Admission::take;
}

void Forwarding::remember(const PublishedMessage& message, const MessageId& id, PeerSlot from, Time now) {
  const bool proved = config_.signatures == Signatures::required && message.signer == message.origin;
  seen_.add(id, from, message.origin, proved ? message.name.sequence() : std::nullopt, message.name.is_text(), now);
  if (const auto alias = alias_of(message)) seen_.add_name(*alias, now);
  while (const auto forgotten = seen_.forget_one(now)) {
    if (forgotten->sequence) origins_.raise_floor(forgotten->origin, *forgotten->sequence);
  }
}

void Forwarding::on_judged(const MessageId& id, Verdict verdict) {
  auto* entry = cache_.find(id);
  if (entry == nullptr || entry->judged) return;
  if (verdict == Verdict::accept) {
    entry->judged = true;
    hand_on(*entry);
    ++counters_.delivered;
    return out_.push(Deliver{received(*entry)});
  }
  if (verdict == Verdict::reject) {
    ++counters_.refused;
    if (const auto* peer = peers_.find(entry->from)) scores_.add(peer->key, scores_.costs().rejected);
  }
  cache_.remove(id);
}

void Forwarding::hand_on(MessageCache::Entry& entry) {
  const auto* topic = mesh_.find(entry.message.topic);
  if (topic == nullptr) return;
  std::vector<Peer*> rest;
  bool some_have = false;  // besides who sent it
  for (const auto& key : topic->peers) {
    auto* peer = peers_.find(key);
    if (peer == nullptr || key == entry.message.origin || peer->slot == entry.from) continue;
    if (entry.has(peer->slot)) {
      some_have = true;
    } else {
      rest.push_back(peer);
    }
  }
  std::vector<Peer*> free;
  std::ranges::copy_if(rest, std::back_inserter(free), [](const Peer* peer) { return !peer->blocked && !peer->quiet; });
  const auto eager = choose(std::move(free), some_have ? 0 : 1, rng_);
  for (auto* peer : rest) {
    if (!eager.empty() && peer == eager.front()) {
      out_.message(*peer, entry);
    } else {
      out_.have(*peer, entry);
    }
  }
}

bool Forwarding::may_announce(Peer& from, std::string_view topic, std::size_t ids, Time now) {
  if (mesh_.find(topic) == nullptr) return false;
  if (from.announced.take(config_.announced_per_peer, ids, now)) return true;
  ++counters_.over_rate;
  scores_.add(from.key, scores_.costs().over_rate * static_cast<double>(ids));
  return false;
}

void Forwarding::on_have(Peer& from, const Have& have, Time now) {
  if (!may_announce(from, have.topic, have.ids.size(), now)) return;
  for (const auto& id : have.ids) {
    if (auto* entry = cache_.find(id)) {
      entry->holder(from.slot).has = true;
    } else if (!seen_.find(id) && !wants_.on_announced(id, from.slot)) {
      ++counters_.unnoted;
    }
  }
}

void Forwarding::on_have(Peer& from, const compat::HaveNames& have, Time now) {
  if (!may_announce(from, have.topic, have.names.size(), now)) return;
  for (const auto& name : have.names) {
    const auto alias = name.alias();
    if (auto* entry = cache_.find_name(alias)) {
      entry->holder(from.slot).has = true;
    } else if (!seen_.knows_name(alias) && !wants_.on_announced(alias, from.slot, &name)) {
      ++counters_.unnoted;
    }
  }
}

void Forwarding::give(Peer& peer, MessageCache::Entry* entry, Time now) {
  if (entry == nullptr || !entry->judged) return;
  auto& holder = entry->holder(peer.slot);
  if (holder.sent >= config_.answers_per_message) return scores_.add(peer.key, scores_.costs().over_asking);
  // A JSON peer asks for a message once in its life: what it asks for goes, as far as the caller has room for it.
  if (peer.blocked && peer.form == Form::native) {
    peer.missed = true;
    return;
  }
  if (!peer.answers.take(config_.answers_per_peer, 1, now)) {
    ++counters_.over_rate;
    return scores_.add(peer.key, scores_.costs().over_rate);
  }
  out_.message(peer, *entry);
}

void Forwarding::on_want(Peer& from, const Want& want, Time now) {
  for (const auto& id : want.ids) give(from, cache_.find(id), now);
}

void Forwarding::on_want(Peer& from, const compat::WantNames& want, Time now) {
  for (const auto& name : want.names) give(from, cache_.find_name(name.alias()), now);
}

void Forwarding::announce_window(Peer& peer, std::string_view topic, std::size_t age) {
  for (const auto& id : cache_.window(age, topic)) {
    const auto* entry = cache_.find(id);
    if (entry != nullptr && entry->judged && !entry->has(peer.slot)) out_.have(peer, *entry);
  }
}

void Forwarding::announce_all(Peer& peer, std::string_view topic) {
  for (std::size_t age = config_.history_windows; age-- > 0;) announce_window(peer, topic, age);
}

void Forwarding::on_heartbeat(Time now) {
  for (const auto& [name, topic] : mesh_.topics()) {
    std::vector<Peer*> outside;
    for (auto* peer : mesh_.takers(name)) {
      if (topic.peers.contains(peer->key)) {
        announce_window(*peer, name, 0);  // what came since the last heartbeat; for what was lost on the way
      } else {
        outside.push_back(peer);
      }
    }
    for (auto* peer : choose(std::move(outside), config_.gossip, rng_)) {
      for (std::size_t age = config_.gossip_windows; age-- > 0;) announce_window(*peer, name, age);
    }
  }
  cache_.shift();
  while (const auto forgotten = seen_.forget_one(now)) {
    if (forgotten->sequence) origins_.raise_floor(forgotten->origin, *forgotten->sequence);
  }
}

Received Forwarding::received(const MessageCache::Entry& entry) {
  const auto& message = entry.message;
  const auto* from = peers_.find(entry.from);
  return {entry.id,
          message.topic,
          message.origin,
          message.signer.value_or(PublicKey{}),
          from == nullptr ? PublicKey{} : from->key,
          message.hops,
          message.body};
}

std::optional<MessageId> Forwarding::alias_of(const PublishedMessage& message) const {
  if (!config_.compat) return std::nullopt;
  return message.name.alias();
}

}  // namespace axl::pubsub
