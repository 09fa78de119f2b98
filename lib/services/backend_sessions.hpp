// The MCP sessions that this node holds with backends on behalf of old peers, whose envelopes cannot carry one: one per
// caller and service.
//
// A caller's clients share the session, as they are one caller to the reference too. When a new `initialize` replaces a
// session, the old one is ended at the backend once the last call that uses it is over. Bounded: idle ones end after an
// hour, and beyond the limits the longest idle one goes, of the same caller first.
//
// Source: bridge, section 8.4 (responder, b).
#pragma once

#include <axl/bytes.hpp>
#include <axl/key.hpp>
#include <axl/time.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace axl::services {

struct BackendSession {
  PublicKey caller;
  std::string service;
  std::string id;       ///< Mcp-Session-Id; empty: the backend keeps no session
  std::string version;  ///< negotiated by `initialize`
  Bytes initialize;     ///< the request that opened it, to open it anew; empty if too large to keep
  Time last_use;
};

class BackendSessions {
 public:
  struct Limits {
    std::size_t per_caller = 64;
    std::size_t sessions = 4'096;
    std::size_t initialize_bytes = 64UL * 1024;
    Duration idle{std::chrono::hours{1}};
  };
  /// Called for a session that nobody uses any more, to end it at the backend.
  using EndHandler = std::function<void(const BackendSession& session)>;

  BackendSessions(const Limits& limits, EndHandler on_end) : limits_{limits}, on_end_{std::move(on_end)} {}

  /// Null when there is none.
  [[nodiscard]] std::shared_ptr<const BackendSession> use(const PublicKey& caller, std::string_view service, Time now);
  std::shared_ptr<const BackendSession> put(BackendSession session, Time now);
  /// Forgets it without a word to the backend, which does not know it any more.
  void lost(const BackendSession& session);
  /// Ends what has idled too long, and what was replaced and is used no more.
  void sweep(Time now);
  [[nodiscard]] std::size_t size() const noexcept { return sessions_.size(); }

 private:
  using Table = std::map<std::pair<PublicKey, std::string>, std::shared_ptr<BackendSession>>;
  void retire(Table::iterator session);
  void make_room(const PublicKey& caller);

  Limits limits_;
  EndHandler on_end_;
  Table sessions_;
  std::vector<std::shared_ptr<BackendSession>> retired_;  // at most one per call under way, and those just replaced
};

}  // namespace axl::services
