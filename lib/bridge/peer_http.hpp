// HTTP connections to peers: one pool for each that is being talked to, over its overlay port 7001.
//
// A peer that refuses 7001 is remembered as old, for all who reach peers. When nothing is known and its TCP is silent
// for three seconds, port 7000 is tried beside, without a frame: if that answers first, the peer is taken for an old
// one. Nothing else is ever tried on 7000.
//
// Bounded: at most so many pools, 64 idle connections in all; a pool that is not used for a minute goes, and sooner
// when another needs its place.
//
// Source: bridge, section 8.4.
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

#include "bridge/host.hpp"
#include "bridge/old_peers.hpp"
#include "http/client_pool.hpp"
#include "http/upstream.hpp"

namespace axl::bridge {

class PeerPools {
 public:
  struct Config {
    std::uint16_t tcp_port = 7000;
    std::uint16_t http_port = 7001;
    Duration dial_timeout{std::chrono::seconds{30}};
    std::size_t pools = 4'096;
    std::size_t idle_connections = 64;
    Duration idle_timeout{std::chrono::seconds{60}};
  };

  PeerPools(const Config& config, Host& host, std::shared_ptr<OldPeers> old_peers);
  PeerPools(const PeerPools&) = delete;
  PeerPools& operator=(const PeerPools&) = delete;
  ~PeerPools();

  /// To port 7001 of a peer. `envelope`: the request could be an envelope, so a silent peer may be asked on 7000. When
  /// the peer turns out to be old, acquire() fails with `refused`. Empty: every pool is in use.
  [[nodiscard]] std::shared_ptr<http::Upstream> reach(const PublicKey& peer, bool envelope);

  [[nodiscard]] std::size_t pools() const noexcept { return peers_.size(); }

 private:
  class Probing;
  class Attempt;
  struct Peer {
    std::shared_ptr<http::ClientPool> pool;
    bool reached = false;  // the last connect went well
    Time used{};
  };

  [[nodiscard]] std::shared_ptr<http::ClientPool> make_pool(const PublicKey& peer);
  void on_connected(const PublicKey& peer, const Error* error);
  [[nodiscard]] bool make_place();
  void sweep();

  Config config_;
  Host& host_;
  std::shared_ptr<OldPeers> old_peers_;
  std::shared_ptr<http::IdleConnections> idle_;
  std::map<PublicKey, Peer> peers_;
  std::unique_ptr<Timer> timer_;
  bool armed_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace axl::bridge
