#include "e2e/session_table.hpp"

#include <algorithm>
#include <utility>

namespace axl::e2e {

SessionTable::Entry* SessionTable::find(const PublicKey& key) {
  return const_cast<Entry*>(std::as_const(*this).find(key));
}

const SessionTable::Entry* SessionTable::find(const PublicKey& key) const {
  // The one used last: packets of one key come in rows.
  if (!confirmed_.empty() && confirmed_.back().key == key) return &confirmed_.back();
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? nullptr : &*found->second;
}

SessionTable::Entry& SessionTable::insert(const PublicKey& key, const crypto::BoxPublicKey& static_key, Session session,
                                          Time now) {
  if (size() >= max_sessions_ && size() != 0) erase_front(unconfirmed_.empty() ? confirmed_ : unconfirmed_);
  const auto entry = unconfirmed_.insert(
      unconfirmed_.end(),
      Entry{.key = key, .static_key = static_key, .session = std::move(session), .created = now, .used = now});
  by_key_.insert_or_assign(key, entry);
  return *entry;
}

void SessionTable::touch(Entry& entry, Time now) {
  entry.used = now;
  auto& list = list_of(entry);
  if (&list.back() != &entry) list.splice(list.end(), list, by_key_.find(entry.key)->second);
}

void SessionTable::confirm(Entry& entry) {
  if (entry.confirmed) return;
  entry.confirmed = true;
  confirmed_.splice(confirmed_.end(), unconfirmed_, by_key_.find(entry.key)->second);
}

bool SessionTable::erase(const PublicKey& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return false;
  const auto entry = found->second;
  by_key_.erase(found);
  list_of(*entry).erase(entry);
  return true;
}

void SessionTable::erase_front(List& list) {
  by_key_.erase(list.front().key);
  list.pop_front();
}

void SessionTable::expire(Time now) {
  for (auto* list : {&unconfirmed_, &confirmed_}) {
    while (!list->empty() && now - list->front().used >= timeout_) erase_front(*list);
  }
}

std::optional<Time> SessionTable::next_expiry() const {
  std::optional<Time> next;
  for (const auto* list : {&unconfirmed_, &confirmed_}) {
    if (list->empty()) continue;
    const auto at = list->front().used + timeout_;
    if (!next || at < *next) next = at;
  }
  return next;
}

std::vector<const SessionTable::Entry*> SessionTable::sorted() const {
  std::vector<const Entry*> entries;
  entries.reserve(size());
  for (const auto* list : {&unconfirmed_, &confirmed_}) {
    for (const auto& entry : *list) entries.push_back(&entry);
  }
  std::ranges::sort(entries, {}, &Entry::key);
  return entries;
}

}  // namespace axl::e2e
