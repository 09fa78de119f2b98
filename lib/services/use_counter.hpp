// Counts how a service is used: one Call for each request under way.
#pragma once

#include <axl/service.hpp>
#include <memory>
#include <utility>

namespace axl::services {

class CountedCall {
 public:
  CountedCall() = default;  ///< counts nothing
  explicit CountedCall(std::shared_ptr<ServiceUse> use) : use_{std::move(use)} {
    if (!use_) return;
    ++use_->requests;
    ++use_->in_flight;
  }
  CountedCall(CountedCall&& other) noexcept = default;
  CountedCall& operator=(CountedCall&& other) noexcept {
    std::swap(use_, other.use_);
    return *this;
  }
  CountedCall(const CountedCall&) = delete;
  CountedCall& operator=(const CountedCall&) = delete;
  ~CountedCall() {
    if (use_) --use_->in_flight;
  }

  /// No answer, or a status of 5xx. To be called once at most.
  void failed() {
    if (use_) ++use_->failures;
  }

 private:
  std::shared_ptr<ServiceUse> use_;
};

}  // namespace axl::services
