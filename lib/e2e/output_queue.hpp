// Outputs of an engine on their way to the caller. Memory is kept when it runs empty, so that steady traffic allocates
// nothing here.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace axl::e2e {

template <class T>
class OutputQueue {
 public:
  template <class Value>
  void push(Value&& value) {
    values_.emplace_back(std::forward<Value>(value));
  }

  [[nodiscard]] std::optional<T> pop() {
    if (next_ == values_.size()) return {};
    std::optional<T> value{std::move(values_[next_++])};
    if (next_ == values_.size()) {
      if (values_.capacity() > kKept) values_ = std::vector<T>{};
      values_.clear();
      next_ = 0;
    }
    return value;
  }

 private:
  static constexpr std::size_t kKept = 1'024;

  std::vector<T> values_;
  std::size_t next_ = 0;  // first not yet popped
};

}  // namespace axl::e2e
