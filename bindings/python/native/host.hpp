// The node behind Python's: there until it is stopped, whoever still holds readers and sessions of it.
#pragma once

#include <axl/node.hpp>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "channel.hpp"
#include "errors.hpp"
#include "parts.hpp"

namespace axl::python {

class Host {
 public:
  explicit Host(std::unique_ptr<Node> node) : node_{std::move(node)} {}

  /// Calls `work` with the node, which stays for as long, and without the interpreter's lock. Raises Closed after stop().
  template <class Work>
  decltype(auto) with(Work work) {
    return with_node<decltype(work(std::declval<Node&>()))>(std::move(work));
  }
  /// To be used in with().
  [[nodiscard]] Parts& parts() noexcept { return parts_; }
  /// Waits for the node's thread; calls under way end, with an error where there is nothing better.
  void stop() {
    const nb::gil_scoped_release unlocked;
    const std::lock_guard one{stopping_};
    {
      const std::shared_lock lock{mutex_};
      if (!node_) return;
      node_->stop();
    }
    std::unique_ptr<Node> gone;
    const std::unique_lock lock{mutex_};
    parts_.close();
    gone.swap(node_);
  }

 private:
  template <class Value, class Work>
  Value with_node(Work work) {
    {
      const nb::gil_scoped_release unlocked;
      const std::shared_lock lock{mutex_};
      if (node_) return work(*node_);
    }
    raise(Error{Errc::closed, "the node has been stopped"});
  }

  std::mutex stopping_;
  std::shared_mutex mutex_;
  std::unique_ptr<Node> node_;
  Parts parts_;
};

}  // namespace axl::python
