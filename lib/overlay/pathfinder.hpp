// What a node knows about the way to others: paths it has learnt, and keys it is looking for ("rumors").
//
// A path is the coordinates of a node as it signed them; it lives for a minute after the last sign of life. A rumor
// remembers that we have asked, and holds the newest packet that waits for the answer.
//
// Source: overlay routing, section 11. Keeps the tables and decides; sending is the caller's.
#pragma once

#include <axl/key.hpp>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "core/buffer.hpp"
#include "crypto/signature.hpp"
#include "overlay/bloom.hpp"
#include "overlay/config.hpp"
#include "overlay/due_queue.hpp"
#include "wire/frames.hpp"

namespace axl::overlay {

class Pathfinder {
 public:
  Pathfinder(const Config& config, const crypto::Verifier& verify) : config_{config}, verify_{verify} {}

  struct Path {
    wire::Path coords;
    std::uint64_t seq = 0;
    Time created;
    Time last_lookup;
    Time expires;
    bool broken = false;        ///< still used, but traffic from there no longer keeps it alive
    std::optional<Bytes> kept;  ///< the last packet sent, sent again when the path changes

    Time queued;  // what the due queue holds for it
  };

  [[nodiscard]] const Path* find(const PublicKey& dest) const;
  /// Remembers the payload just sent to `dest`, for on_notify() to hand back. Too large ones are not kept.
  void keep(const PublicKey& dest, ByteSpan payload);
  /// A packet from `source` was delivered here.
  void on_delivered(const PublicKey& source, Time now);

  // Looking for keys (11.2). `target` may be partial.

  /// Whether a lookup for `target` goes out now; notes it if so.
  [[nodiscard]] bool start_lookup(const PublicKey& target, Time now);
  /// The same for a path that was reported broken: only the path's own throttle counts.
  [[nodiscard]] bool repeat_lookup(const PublicKey& target, Time now);
  /// Call after start_lookup(dest). Replaces what has waited under the same transformed key.
  void wait(const PublicKey& dest, Buffer payload);
  /// Keys that are looked for without an answer so far, and for which `wanted` says yes.
  [[nodiscard]] std::vector<PublicKey> unanswered(const std::function<bool(const BloomBits&)>& wanted) const;

  // What comes back (11.4, 11.5).

  struct Answer {
    bool changed = false;          ///< the path is new or different: tell the layer above, first
    std::optional<Buffer> resend;  ///< then send this to the notify's source
  };
  [[nodiscard]] Answer on_notify(const wire::PathNotify& notify, Time now);
  /// Marks the path to `dest` as broken; false if there is none.
  bool on_broken(const PublicKey& dest);

  void expire_path(const PublicKey& key);
  void expire_rumor(const PublicKey& transformed_key);
  /// Earliest time at which on_tick() may have something to do.
  [[nodiscard]] std::optional<Time> next_due() const;
  void on_tick(Time now);

  [[nodiscard]] std::size_t path_count() const noexcept { return paths_.size(); }
  [[nodiscard]] std::size_t rumor_count() const noexcept { return rumors_.size(); }
  [[nodiscard]] std::size_t waiting_bytes() const noexcept { return waiting_bytes_; }
  [[nodiscard]] const std::map<PublicKey, Path>& paths() const noexcept { return paths_; }

 private:
  struct Rumor {
    PublicKey target;  // as last asked for
    BloomBits bits;
    Time last_lookup;
    Time expires;
    bool answered = false;
    std::optional<std::pair<PublicKey, Buffer>> waiting;
  };

  [[nodiscard]] PublicKey transform(const PublicKey& key) const { return transform_key(key, config_.key_transform); }
  [[nodiscard]] bool valid(const wire::PathNotify& notify) const;
  Path& create_path(const PublicKey& key, Time now);
  void drop_waiting(Rumor& rumor);
  std::optional<std::pair<Time, PublicKey>> first_path_due();

  const Config& config_;
  const crypto::Verifier& verify_;
  std::map<PublicKey, Path> paths_;
  std::map<PublicKey, Rumor> rumors_;  // by transformed key
  DueQueue path_due_;
  DueQueue rumor_due_;
  std::size_t waiting_bytes_ = 0;
};

}  // namespace axl::overlay
