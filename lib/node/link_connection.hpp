// One link at work: a stream's bytes into link::Link, its messages to the overlay, and what it writes back.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/stream.hpp"
#include "link/link.hpp"
#include "link/peer_table.hpp"
#include "net/timer.hpp"
#include "node/core.hpp"

namespace axl::node {

class LinkConnection final : private StreamHandler {
 public:
  /// For the log.
  struct Route {
    bool inbound = false;
    std::string ends = {};  ///< HOST:PORT of the other end, then of ours
  };
  struct Events {
    std::function<void(LinkConnection&)> established;
    std::function<void(LinkConnection&)> failed;  ///< once; error() says why
  };

  LinkConnection(overlay::LinkId id, link::EntryId entry, std::string uri, link::Link link,
                 std::unique_ptr<Stream> stream, Core& core, asio::io_context& context, Events events);
  LinkConnection(const LinkConnection&) = delete;
  LinkConnection& operator=(const LinkConnection&) = delete;
  ~LinkConnection();

  void start();
  void send(overlay::Engine::SendFrame frame);
  void set_proven();
  void fail(Error error);

  [[nodiscard]] overlay::LinkId id() const noexcept { return id_; }
  [[nodiscard]] link::EntryId entry() const noexcept { return entry_; }
  [[nodiscard]] const std::string& uri() const noexcept { return uri_; }
  [[nodiscard]] const link::Link& link() const noexcept { return link_; }
  /// The queue holds so much that packets of our own had better wait.
  [[nodiscard]] bool is_full() const noexcept { return link_.queued_bytes() >= queue_high_; }
  [[nodiscard]] const Error& error() const noexcept { return error_; }
  [[nodiscard]] bool retry() const noexcept { return retry_; }

  Route route;
  bool in_overlay = false;  ///< the overlay knows this link
  bool announced = false;   ///< the world has been told that it is up

 private:
  void on_data(Buffer data) override;
  void on_end() override;
  void on_writable() override;
  void on_drained() override;
  void on_closed(const Error* error) override;

  void carry();
  void follow_stream();
  void take_room();
  void on_timer();

  const overlay::LinkId id_;
  const link::EntryId entry_;
  const std::string uri_;
  link::Link link_;
  std::unique_ptr<Stream> stream_;
  Core& core_;
  Events events_;
  net::Timer timer_;
  Error error_{Errc::closed, "closed"};
  bool retry_ = true;
  bool ended_ = false;
  bool crowded_ = false;     // the queue has been at the mark where our own packets wait
  std::size_t stream_high_;  // as the link knows it
  std::size_t queue_high_;   // that mark
};

}  // namespace axl::node
