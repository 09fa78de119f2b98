// Messages as frames on one connection to an old peer's port 7000, in order.
//
// Such a peer gives no receipt: a message counts as accepted when the peer's TCP has acknowledged its last byte. A peer
// that ends the connection before (it does so when it has too many) has perhaps never read it.
//
// Source: bridge, sections 4 and 9 (rows 1 and 2).
#pragma once

#include <deque>
#include <memory>

#include "bridge/outgoing.hpp"
#include "core/stream.hpp"

namespace axl::bridge {

class FrameLink final : public MessageLink, private StreamHandler {
 public:
  FrameLink(std::unique_ptr<Stream> stream, LinkOwner& owner);
  ~FrameLink() override;

  [[nodiscard]] std::unique_ptr<OutgoingMessage> give(std::unique_ptr<OutgoingMessage> message) override;
  [[nodiscard]] bool usable() const override { return open_ && !ended_ && !closing_; }
  [[nodiscard]] bool has_room() const override;
  [[nodiscard]] std::size_t carried() const override { return carried_.size(); }
  void on_tick(Time now) override;
  void close() override;

 private:
  struct Carried {
    std::unique_ptr<OutgoingMessage> message;
    std::size_t written = 0;       // of the header and the body
    std::uint64_t end_offset = 0;  // on the connection; set when all is written
  };

  void on_data(Buffer data) override;
  void on_end() override;
  void on_writable() override;
  void on_drained() override;
  void on_closed(const Error* error) override;

  void write_more();
  void settle();
  void lose_all(const Error& error);

  std::unique_ptr<Stream> stream_;
  LinkOwner& owner_;
  std::deque<Carried> carried_;
  std::size_t carried_bytes_ = 0;
  std::uint64_t written_ = 0;
  bool open_ = true;
  bool ended_ = false;    // the peer sends no more
  bool closing_ = false;  // close() was called
};

}  // namespace axl::bridge
