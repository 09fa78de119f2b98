// Messages of the receive queue on their way to one Python iterator.
//
// It holds leases, as many as it was asked to keep ready, and confirms each when Python takes the message: what was not
// taken is at its place in the queue again when the reader is closed. `keep` leaves confirming to Python.
#pragma once

#include <axl/router.hpp>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "host.hpp"

namespace axl::python {

class Reader : public std::enable_shared_from_this<Reader> {
 public:
  struct Options {
    Router::Selection wanted;
    std::size_t ready = 1;  ///< so many are leased ahead
    bool keep = false;
    Duration time{};
  };

  Reader(std::shared_ptr<Channel> channel, Options options);

  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }
  /// Python: the next message, or none yet; then `changed` comes for this id.
  [[nodiscard]] std::optional<Router::Leased> next(Host& host);
  void close(Host& host);

 private:
  using Leases = std::vector<Router::LeaseId>;
  void fill(Node& node);
  void take(Router::Leased leased);
  void flush(Node& node, const Leases& taken);

  const std::shared_ptr<Channel> channel_;
  const Options options_;
  const std::uint64_t id_;

  std::mutex mutex_;
  std::deque<Router::Leased> ready_;
  Leases taken_;
  std::size_t asked_ = 0;  // of `keep`: for so many Python waits
  bool waited_for_ = false;
  bool filling_ = false;  // fill() is on its way to the loop
  bool closed_ = false;

  std::optional<Router::WaitId> wait_;  // on the loop
};

}  // namespace axl::python
