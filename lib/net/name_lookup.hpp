// Looks up a host name without holding anybody up.
//
// The system's resolver blocks, for half a minute when its servers are silent. Asio's own resolver would queue the
// names of all peers behind one such wait and make stopping a node wait too, so each lookup has a thread that nobody
// joins. The number of lookups under way is the caller's affair (one per dial).
#pragma once

#include <asio/io_context.hpp>
#include <asio/ip/address.hpp>
#include <axl/result.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace axl::net {

class NameLookup {
 public:
  /// All addresses in the resolver's order, without repetitions.
  using Done = std::function<void(Result<std::vector<asio::ip::address>>)>;

  /// `done` is called on the loop, never inside this constructor. It may destroy the lookup.
  NameLookup(asio::io_context& context, const std::string& host, Done done);
  NameLookup(const NameLookup&) = delete;
  NameLookup& operator=(const NameLookup&) = delete;
  ~NameLookup();  ///< no call comes any more

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace axl::net
