// Something above the node that has to end with it.
#pragma once

namespace axl::node {

class Part {
 public:
  Part() = default;
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;
  virtual ~Part() = default;
  /// There is a new neighbour. On the loop.
  virtual void on_link_up() {}
  /// On the loop, while everything of the node is still there. Nothing of the node is used afterwards.
  virtual void on_node_stop() = 0;
};

}  // namespace axl::node
