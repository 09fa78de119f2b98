// Session ids that this node mints for MCP clients whose server sits behind an old peer, where no session id can pass.
//
// An id is valid with the peer and the service it was minted for, and forgotten after an hour without use; when there
// are too many, the one unused for the longest goes.
//
// Source: bridge, sections 3.4 and 8.4 (requester, b).
#pragma once

#include <axl/key.hpp>
#include <axl/random.hpp>
#include <axl/time.hpp>
#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace axl::bridge {

class OldPeerSessions {
 public:
  struct Limits {
    std::size_t sessions = 4'096;
    Duration idle{std::chrono::hours{1}};
  };

  explicit OldPeerSessions(const Limits& limits) noexcept : limits_{limits} {}

  /// 128 random bits in hexadecimal.
  [[nodiscard]] std::string mint(const PublicKey& peer, std::string_view service, Rng& rng, Time now);
  /// Counts as a use.
  [[nodiscard]] bool use(std::string_view id, const PublicKey& peer, std::string_view service, Time now);
  /// False: there is no such session with that peer and service.
  bool end(std::string_view id, const PublicKey& peer, std::string_view service);
  [[nodiscard]] std::size_t size() const noexcept { return sessions_.size(); }

 private:
  struct Session {
    PublicKey peer;
    std::string service;
    Time used;
  };
  using Table = std::map<std::string, Session, std::less<>>;
  [[nodiscard]] Table::iterator find(std::string_view id, const PublicKey& peer, std::string_view service);

  Limits limits_;
  Table sessions_;
};

}  // namespace axl::bridge
