// What we remember of those who publish: how often they do, and up to which sequence number their messages are old.
//
// A message that is known is a duplicate. One that has been forgotten since would be new again, so the number of each
// forgotten message becomes a floor for its origin: what is not above it has been here, or is too late. Only proved
// origins have floors. Keys are free, so the table is bounded and the least recently seen goes: who makes thousands of
// keys can make us take an old message of others once more.
#pragma once

#include <axl/key.hpp>
#include <axl/time.hpp>
#include <cstdint>
#include <list>
#include <map>

#include "pubsub/rate.hpp"

namespace axl::pubsub {

class Origins {
 public:
  Origins(std::size_t most, Rate rate) noexcept : most_{most}, rate_{rate} {}

  [[nodiscard]] bool is_old(const PublicKey& origin, std::uint64_t sequence) const;
  void raise_floor(const PublicKey& origin, std::uint64_t sequence);
  /// One more new message of this origin now?
  [[nodiscard]] bool allow(const PublicKey& origin, Time now);
  [[nodiscard]] std::size_t size() const noexcept { return index_.size(); }

 private:
  struct Entry {
    PublicKey origin;
    std::uint64_t floor = 0;
    Bucket bucket;
  };
  Entry& touch(const PublicKey& origin);

  std::size_t most_;
  Rate rate_;
  std::list<Entry> entries_;  // least recently seen first
  std::map<PublicKey, std::list<Entry>::iterator> index_;
};

}  // namespace axl::pubsub
