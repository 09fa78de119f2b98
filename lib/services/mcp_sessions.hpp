// Which session with a service belongs to which caller, and which services want sessions at all.
//
// One session for each (caller key, service), so that no caller ever meets another's. Bounded: the one unused for the
// longest goes first; one unused for an hour goes too.
//
// Source: bridge, section 8.4 (our role: responder, b). Lives on the loop.
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/service_table.hpp"

namespace axl::services {

using McpSessionKey = std::pair<PublicKey, std::string>;  // caller, service

struct McpSession {
  std::string id;       ///< of the server; empty: it wants none
  std::string version;  ///< as negotiated
  PublicKey caller;
  std::weak_ptr<const Service> service;
};

class McpSessions {
 public:
  struct Limits {
    std::size_t sessions = 4'096;
    Duration idle{std::chrono::hours{1}};
  };
  using Gone = std::vector<std::shared_ptr<const McpSession>>;  ///< what was forgotten

  explicit McpSessions(Limits limits) noexcept : limits_{limits} {}

  /// Counts as a use. Not found when the service was registered anew meanwhile.
  [[nodiscard]] std::shared_ptr<const McpSession> find(const McpSessionKey& key,
                                                       const std::shared_ptr<const Service>& service, Time now);
  Gone set(const McpSessionKey& key, McpSession session, Time now);
  /// Unless another has taken its place.
  void forget(const McpSessionKey& key, const std::shared_ptr<const McpSession>& session);
  Gone expire(Time now);

  /// Has refused a call without a session. Remembered for as many services as sessions.
  void set_wants_session(const std::string& service, bool wants);
  [[nodiscard]] bool wants_session(const std::string& service) const { return wanting_.contains(service); }
  [[nodiscard]] std::size_t size() const noexcept { return sessions_.size(); }

 private:
  struct Entry {
    std::shared_ptr<const McpSession> session;
    Time used;
  };
  void take(std::map<McpSessionKey, Entry>::iterator entry, Gone& gone);

  Limits limits_;
  std::map<McpSessionKey, Entry> sessions_;
  std::set<std::string, std::less<>> wanting_;
};

}  // namespace axl::services
