#include "node/running_keys.hpp"

#include <mutex>
#include <set>

namespace axl::node {

namespace {

struct Running {
  std::mutex mutex;
  std::set<PublicKey> keys;
};

Running& running() {
  static Running instance;
  return instance;
}

}  // namespace

RunningKey::RunningKey(const PublicKey& key) : key_{key} {
  const std::lock_guard lock{running().mutex};
  held_ = running().keys.insert(key).second;
}

RunningKey::~RunningKey() {
  if (!held_) return;
  const std::lock_guard lock{running().mutex};
  running().keys.erase(key_);
}

}  // namespace axl::node
