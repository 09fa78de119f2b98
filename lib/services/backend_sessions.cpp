#include "services/backend_sessions.hpp"

#include <algorithm>

namespace axl::services {

std::shared_ptr<const BackendSession> BackendSessions::use(const PublicKey& caller, std::string_view service,
                                                           Time now) {
  sweep(now);
  const auto found = sessions_.find({caller, std::string{service}});
  if (found == sessions_.end()) return nullptr;
  found->second->last_use = now;
  return found->second;
}

std::shared_ptr<const BackendSession> BackendSessions::put(BackendSession session, Time now) {
  if (session.initialize.size() > limits_.initialize_bytes) session.initialize = {};
  session.last_use = now;
  const std::pair key{session.caller, session.service};
  if (const auto old = sessions_.find(key); old != sessions_.end()) retire(old);
  make_room(session.caller);
  auto made = std::make_shared<BackendSession>(std::move(session));
  sessions_.emplace(key, made);
  sweep(now);
  return made;
}

void BackendSessions::lost(const BackendSession& session) {
  const auto found = sessions_.find({session.caller, session.service});
  if (found != sessions_.end() && found->second.get() == &session) sessions_.erase(found);
}

void BackendSessions::sweep(Time now) {
  for (auto next = sessions_.begin(); next != sessions_.end();) {
    const auto session = next++;
    if (session->second->last_use + limits_.idle <= now) retire(session);
  }
  std::vector<std::shared_ptr<BackendSession>> over;
  std::erase_if(retired_, [&over](const auto& session) {
    if (session.use_count() > 1) return false;
    over.push_back(session);
    return true;
  });
  for (const auto& session : over) {
    if (!session->id.empty()) on_end_(*session);
  }
}

void BackendSessions::retire(Table::iterator session) {
  retired_.push_back(std::move(session->second));
  sessions_.erase(session);
}

// Entries of one caller stand next to each other.
void BackendSessions::make_room(const PublicKey& caller) {
  const auto idler = [](const auto& a, const auto& b) { return a.second->last_use < b.second->last_use; };
  const auto begin = sessions_.lower_bound({caller, std::string{}});
  const auto end = std::find_if(begin, sessions_.end(), [&](const auto& entry) { return entry.first.first != caller; });
  if (static_cast<std::size_t>(std::distance(begin, end)) >= limits_.per_caller) {
    retire(std::min_element(begin, end, idler));
  } else if (sessions_.size() >= limits_.sessions) {
    retire(std::min_element(sessions_.begin(), sessions_.end(), idler));
  }
}

}  // namespace axl::services
