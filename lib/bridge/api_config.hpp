// What the owner of a node decides about its local HTTP API.
#pragma once

#include <string>
#include <vector>

namespace axl::bridge {

/// How the local HTTP API answers; the address it listens on is the owner's affair.
struct ApiConfig {
  std::vector<std::string> allowed_hosts = {};    ///< `Host` values besides loopback, lower case, without port
  std::vector<std::string> allowed_origins = {};  ///< `Origin` values that may call
  std::string token = {};                         ///< what X-Axl-Token must carry; empty: none is asked for
  bool legacy_peer_id = false;  ///< X-From-Peer-Id as the reference writes it: only what an address carries
};

}  // namespace axl::bridge
