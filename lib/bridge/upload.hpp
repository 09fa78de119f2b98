// Reads the whole body of a request into memory, as the limit and the budget of bodies allow.
//
// A body over the limit is answered 413, at once when its length is announced; one that finds no budget waits unread,
// so that TCP slows its sender down.
#pragma once

#include <axl/message.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "bridge/arrival.hpp"
#include "bridge/body_gate.hpp"
#include "http/exchange.hpp"
#include "router/body_digest.hpp"

namespace axl::bridge {

/// A body that is complete.
struct Uploaded {
  MessageBody body;
  BodyGate::Ticket ticket;                                ///< holds its place in the budget
  std::optional<router::BodyDigest::Digest> digest = {};  ///< where one was asked for, and the body has come in pieces
};
using UploadHandler = std::function<void(http::Exchange exchange, Uploaded upload)>;

/// May take a large body before it is complete: true if it does, and `arrival` tells how the rest comes, or that it
/// never will. The UploadHandler is called at the end as ever. `body` is in its place, and as large as announced.
using EarlyHandler = std::function<bool(const MessageBody& body, const std::shared_ptr<Arrival>& arrival)>;

/// The uploads under way on one side. Destroying it drops them; handlers are not called.
class Uploads {
 public:
  /// `digest`, if any, must outlive the uploads.
  Uploads(BodyGate& gate, std::size_t max_size, const router::BodyDigest* digest = nullptr);
  Uploads(const Uploads&) = delete;
  Uploads& operator=(const Uploads&) = delete;
  ~Uploads();

  /// `extra` goes into a 413 answer. `handler` is not called when the client goes first. `early`, if any, is asked
  /// once.
  void receive(http::Exchange exchange, const PublicKey& peer, http::Headers extra, UploadHandler handler,
               EarlyHandler early = {});
  /// A body that came with its head, up to 64 KiB: without waiting for it, so without the upkeep of that. Empty: it has
  /// to be waited for.
  [[nodiscard]] std::optional<Uploaded> take_arrived(http::Exchange& exchange, const PublicKey& peer);
  [[nodiscard]] std::size_t max_size() const noexcept { return max_size_; }
  [[nodiscard]] std::size_t under_way() const noexcept { return uploads_.size(); }

 private:
  class Upload;

  BodyGate& gate_;
  std::size_t max_size_;
  const router::BodyDigest* digest_;
  std::map<std::uint64_t, std::unique_ptr<Upload>> uploads_;
  std::uint64_t next_ = 1;
};

}  // namespace axl::bridge
