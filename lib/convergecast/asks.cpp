#include "convergecast/asks.hpp"

namespace axl::convergecast {

Asks::Entry* Asks::find(const Id& id) {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

Asks::Entry* Asks::add(const Id& id, Question question, Time now) {
  const auto& [from, token] = id;
  const auto counted = counts_.find(from);
  const auto limit = from == own_ ? limits_.own : limits_.per_child;
  if (entries_.size() >= limits_.all || (counted != counts_.end() && counted->second >= limit)) return nullptr;
  Entry entry;
  entry.until = entry.due = now + question.time + question.time / 2;  // half for the way up and the way back
  entry.question = std::move(question);
  const auto [place, is_new] = entries_.try_emplace(id, std::move(entry));
  if (!is_new) return &place->second;
  ++counts_[from];
  due_.emplace(place->second.due, id);
  return &place->second;
}

void Asks::set_due(const Id& id, Entry& entry, Time due) {
  due_.erase({entry.due, id});
  entry.due = due;
  due_.emplace(due, id);
}

void Asks::erase(const Id& id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  due_.erase({found->second.due, id});
  entries_.erase(found);
  const auto counted = counts_.find(id.first);
  if (--counted->second == 0) counts_.erase(counted);
}

std::vector<Asks::Id> Asks::waiting_for(const Token& token, const PublicKey& sender) const {
  std::vector<Id> ids;
  for (const auto& [id, entry] : entries_) {
    if (id.second == token && entry.sent_to == sender) ids.push_back(id);
  }
  return ids;
}

std::vector<Asks::Id> Asks::waiting_for(const Nonce& session) const {
  std::vector<Id> ids;
  for (const auto& [id, entry] : entries_) {
    if (entry.session == session) ids.push_back(id);
  }
  return ids;
}

std::optional<Time> Asks::next_due() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

std::optional<Asks::Id> Asks::due(Time now) const {
  if (due_.empty() || due_.begin()->first > now) return std::nullopt;
  return due_.begin()->second;
}

}  // namespace axl::convergecast
