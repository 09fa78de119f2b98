// The identities that run in this process. Two nodes with one key would fight over every path to it.
#pragma once

#include <axl/key.hpp>

namespace axl::node {

/// Holds a key's place for as long as it lives; `held()` is false when another node of this process has it.
class RunningKey {
 public:
  explicit RunningKey(const PublicKey& key);
  RunningKey(const RunningKey&) = delete;
  RunningKey& operator=(const RunningKey&) = delete;
  ~RunningKey();

  [[nodiscard]] bool held() const noexcept { return held_; }

 private:
  PublicKey key_;
  bool held_ = false;
};

}  // namespace axl::node
