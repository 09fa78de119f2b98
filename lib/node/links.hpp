// The links of one node: dials, accepts, and joins each stream's bytes with the overlay's messages.
//
// Decides nothing itself: whom to dial and admit is link::PeerTable's, what may pass is link::Link's.
#pragma once

#include <axl/config.hpp>
#include <axl/node.hpp>
#include <axl/statistics.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "link/peer_table.hpp"
#include "net/dialer.hpp"
#include "net/listener.hpp"
#include "net/timer.hpp"
#include "net/tls.hpp"
#include "node/core.hpp"
#include "node/link_connection.hpp"

namespace axl::node {

class Links final : public LinkSender {
 public:
  using Emit = std::function<void(const NodeEvent&)>;

  /// `own_loop`: nobody else turns the loop, so it may have a second thread.
  Links(const NodeConfig& config, const PrivateKey& key, Core& core, asio::io_context& context, bool own_loop,
        Logger logger, Emit emit);
  Links(const Links&) = delete;
  Links& operator=(const Links&) = delete;
  ~Links();

  /// From now on peers are dialled and incoming links taken.
  void start();
  Result<void> add_peer(const std::string& uri, const std::string& source_interface);
  Result<void> remove_peer(const std::string& uri, const std::string& source_interface);
  Result<std::string> add_listener(const std::string& uri);
  [[nodiscard]] std::vector<std::string> listeners() const;
  [[nodiscard]] std::vector<Topology::Peer> peers() const;
  [[nodiscard]] std::size_t up() const;
  /// Fills in what is known of links.
  void count(Statistics& out) const;

  void send(overlay::Engine::SendFrame frame) override;
  [[nodiscard]] bool is_full(overlay::LinkId link) const override;
  void on_proven(overlay::LinkId link) override;
  void close_failed() override;

 private:
  struct Listening {
    std::string uri;  // as bound, without query
    std::unique_ptr<net::Listener> listener;
  };

  void follow_table();
  void dial(const link::PeerTable::Dial& wanted);
  void on_dialed(link::EntryId entry, const link::Uri& uri, Result<net::Dialed> dialed);
  void on_accepted(const link::Uri& uri, net::Accepted accepted);
  void open(link::EntryId entry, link::Link::Options options, std::unique_ptr<Stream> stream, std::string uri,
            LinkConnection::Route route, Time started);
  void on_established(LinkConnection& connection);
  void on_failed(LinkConnection& connection);
  void announce_if_usable(LinkConnection& connection);
  void on_timer();
  static void add_traffic(Statistics::Links& to, const link::Link& link);
  [[nodiscard]] LinkConnection* find(overlay::LinkId link) const;

  const PrivateKey key_;
  const net::StreamOptions stream_options_;
  const std::vector<PublicKey> allowed_keys_;
  Core& core_;
  asio::io_context& context_;
  Logger logger_;
  Emit emit_;
  link::PeerTable table_;
  net::Timer timer_;
  std::optional<net::TlsContext> dialler_tls_;
  std::optional<net::TlsContext> listener_tls_;
  std::vector<Listening> listeners_;
  std::map<link::EntryId, std::unique_ptr<net::Dialer>> dials_;
  std::map<overlay::LinkId, std::unique_ptr<LinkConnection>> connections_;
  std::vector<std::unique_ptr<LinkConnection>> ended_;  // until nothing of them is on the call stack
  Statistics::Links inbound_;  // of what has ended, and how many there have been
  Statistics::Links outbound_;
  std::uint64_t refused_ = 0;
  std::uint32_t next_link_ = 1;
  bool started_ = false;
};

}  // namespace axl::node
