#include "bridge/old_peer_sessions.hpp"

#include <algorithm>

#include "bridge/peer_id.hpp"

namespace axl::bridge {

std::string OldPeerSessions::mint(const PublicKey& peer, std::string_view service, Rng& rng, Time now) {
  if (sessions_.size() >= limits_.sessions) {
    std::erase_if(sessions_, [&](const auto& entry) { return entry.second.used + limits_.idle <= now; });
  }
  if (sessions_.size() >= limits_.sessions) {
    sessions_.erase(std::min_element(sessions_.begin(), sessions_.end(),
                                     [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
  }
  auto id = make_message_id(rng);
  sessions_.insert_or_assign(id, Session{peer, std::string{service}, now});
  return id;
}

OldPeerSessions::Table::iterator OldPeerSessions::find(std::string_view id, const PublicKey& peer,
                                                       std::string_view service) {
  const auto found = sessions_.find(id);
  const bool ours = found != sessions_.end() && found->second.peer == peer && found->second.service == service;
  return ours ? found : sessions_.end();
}

bool OldPeerSessions::use(std::string_view id, const PublicKey& peer, std::string_view service, Time now) {
  const auto session = find(id, peer, service);
  if (session == sessions_.end()) return false;
  if (session->second.used + limits_.idle <= now) {
    sessions_.erase(session);
    return false;
  }
  session->second.used = now;
  return true;
}

bool OldPeerSessions::end(std::string_view id, const PublicKey& peer, std::string_view service) {
  const auto session = find(id, peer, service);
  if (session == sessions_.end()) return false;
  sessions_.erase(session);
  return true;
}

}  // namespace axl::bridge
