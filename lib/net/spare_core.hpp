// Is there a core for a second thread of a node, and would the thread have enough to do? Told from time to time, while
// bulk goes through the node, what the cores and its threads have done.
//
// What the helper itself has used counts as spare, since it would be without it. Between the marks it stays as it was.
//
// Pure.
#pragma once

#include <axl/time.hpp>
#include <optional>

namespace axl::net {

class SpareCore {
 public:
  /// Sums since ever.
  struct Figures {
    Time at;
    Duration idle;    ///< of all cores that this process may run on
    Duration helper;  ///< processor time of the thread in question
    Duration loop;    ///< and of the one that it helps
  };

  /// Figures are wanted now.
  [[nodiscard]] bool due(Time now) const noexcept;
  void on_figures(const Figures& figures) noexcept;
  /// There are none, or there is only one core.
  void on_nothing(Time now) noexcept;
  [[nodiscard]] bool there() const noexcept { return there_; }

 private:
  std::optional<Figures> last_;
  std::optional<Time> asked_;
  bool there_ = false;
};

}  // namespace axl::net
