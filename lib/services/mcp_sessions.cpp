#include "services/mcp_sessions.hpp"

#include <algorithm>

namespace axl::services {

namespace {

bool is_of(const McpSession& session, const std::shared_ptr<const Service>& service) {
  return !session.service.owner_before(service) && !service.owner_before(session.service);
}

}  // namespace

std::shared_ptr<const McpSession> McpSessions::find(const McpSessionKey& key,
                                                    const std::shared_ptr<const Service>& service, Time now) {
  const auto found = sessions_.find(key);
  if (found == sessions_.end()) return nullptr;
  if (!is_of(*found->second.session, service) || now >= found->second.used + limits_.idle) {
    sessions_.erase(found);
    return nullptr;
  }
  found->second.used = now;
  return found->second.session;
}

McpSessions::Gone McpSessions::set(const McpSessionKey& key, McpSession session, Time now) {
  Gone gone;
  if (const auto found = sessions_.find(key); found != sessions_.end()) {
    take(found, gone);
  } else if (sessions_.size() >= limits_.sessions) {
    take(std::min_element(sessions_.begin(), sessions_.end(),
                          [](const auto& a, const auto& b) { return a.second.used < b.second.used; }),
         gone);
  }
  sessions_.emplace(key, Entry{std::make_shared<const McpSession>(std::move(session)), now});
  return gone;
}

void McpSessions::forget(const McpSessionKey& key, const std::shared_ptr<const McpSession>& session) {
  const auto found = sessions_.find(key);
  if (found != sessions_.end() && found->second.session == session) sessions_.erase(found);
}

McpSessions::Gone McpSessions::expire(Time now) {
  Gone gone;
  for (auto entry = sessions_.begin(); entry != sessions_.end();) {
    const auto next = std::next(entry);
    if (now >= entry->second.used + limits_.idle) take(entry, gone);
    entry = next;
  }
  return gone;
}

void McpSessions::set_wants_session(const std::string& service, bool wants) {
  if (!wants) {
    wanting_.erase(service);
  } else if (wanting_.size() < limits_.sessions) {
    wanting_.insert(service);
  }
}

void McpSessions::take(std::map<McpSessionKey, Entry>::iterator entry, Gone& gone) {
  gone.push_back(std::move(entry->second.session));
  sessions_.erase(entry);
}

}  // namespace axl::services
