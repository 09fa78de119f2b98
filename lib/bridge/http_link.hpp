// Messages as `POST /messages` on one connection to a peer's port 7001, pipelined, in order.
//
// Source: bridge, section 8.4.
#pragma once

#include <axl/key.hpp>
#include <deque>
#include <memory>

#include "bridge/outgoing.hpp"
#include "core/executor.hpp"
#include "http/client_connection.hpp"

namespace axl::bridge {

class HttpLink final : public MessageLink {
 public:
  HttpLink(std::unique_ptr<Stream> stream, const Address& peer, Executor& executor, Time now, LinkOwner& owner);
  ~HttpLink() override;

  [[nodiscard]] std::unique_ptr<OutgoingMessage> give(std::unique_ptr<OutgoingMessage> message) override;
  [[nodiscard]] bool usable() const override { return client_.usable() && !stuck_; }
  [[nodiscard]] bool has_room() const override;
  [[nodiscard]] std::size_t carried() const override { return posts_.size(); }
  void on_tick(Time now) override;
  void close() override { client_.close(); }

 private:
  class Post;
  using Posts = std::deque<std::unique_ptr<Post>>;

  void ended(Post& post, Attempt attempt);

  LinkOwner& owner_;
  std::string host_;
  http::Request request_{.method = "POST", .target = "/messages"};  // kept for its memory
  Posts posts_;            // in the order given
  std::size_t bytes_ = 0;  // of their bodies
  bool stuck_ = false;     // no answer came in time: nothing more is given to this connection
  http::ClientConnection client_;
};

}  // namespace axl::bridge
