// `/peers`: the nodes that this one knows a way to, how far they are, and the links that it dials.
//
//   GET    /peers[?limit=&after=]   with a link, a path or a session, by key
//   POST   /peers  {"uri":…}        one more peer to dial, until the node ends; DELETE: no longer
//   GET    /peers/{id}              one of them
//   POST   /peers/{id}/ping         measures a round trip
//
// Source: bridge, section 9, rows 12 and 16.
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "bridge/host.hpp"
#include "http/exchange.hpp"

namespace axl::bridge {

class KnownNodesApi {
 public:
  static constexpr std::size_t kListed = 1'000;      ///< without `limit=`
  static constexpr std::size_t kMaxListed = 10'000;  ///< with it
  static constexpr std::size_t kMaxBody = 64UL * 1024;
  static constexpr std::size_t kMaxPings = 256;  ///< under way

  KnownNodesApi(Host& host, Duration ping_timeout) : host_{host}, ping_timeout_{ping_timeout} {}

  void serve(http::Exchange exchange);      ///< `/peers`
  void serve_one(http::Exchange exchange);  ///< `/peers/{id}`, `/peers/{id}/ping`

 private:
  using Change = std::function<void(http::Exchange& exchange, const std::string& uri, const std::string& interface)>;

  void serve_list(http::Exchange& exchange);
  void serve_change(http::Exchange exchange, Change change);
  void add(http::Exchange& exchange, const std::string& uri, const std::string& interface);
  void remove(http::Exchange& exchange, const std::string& uri, const std::string& interface);
  void ping(http::Exchange exchange, const PublicKey& peer);

  Host& host_;
  Duration ping_timeout_;
  std::size_t pings_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace axl::bridge
