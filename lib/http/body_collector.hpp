// Gathers a body into one contiguous buffer, within a limit and a budget.
//
// An announced length reserves at most 1 MiB in advance; from there the buffer grows with the bytes that really come,
// to the announced length at once when a quarter of it is there. So a body is copied once, plus a third at worst.
#pragma once

#include <axl/bytes.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/buffer.hpp"
#include "http/budget.hpp"

namespace axl::http {

struct BodyLimits {
  std::size_t max_bytes = 16 * 1024 * 1024;
  BudgetShare* budget = nullptr;  ///< null: no budget; else it must outlive the body
  std::size_t headroom = 0;       ///< left free in front of the body
};

class BodyCollector {
 public:
  enum class Verdict : std::uint8_t { ok, too_large, no_budget };

  /// `length` as announced; empty when unknown.
  BodyCollector(BodyLimits limits, std::optional<std::uint64_t> length);
  BodyCollector(const BodyCollector&) = delete;
  BodyCollector& operator=(const BodyCollector&) = delete;
  ~BodyCollector() { release(); }

  /// May this body come at all? Asked before its first byte.
  [[nodiscard]] Verdict admit() const noexcept;
  [[nodiscard]] Verdict append(ByteSpan bytes);
  /// The whole body. Its bytes no longer count in the budget.
  [[nodiscard]] Buffer take();
  [[nodiscard]] std::size_t size() const noexcept { return body_.size(); }
  [[nodiscard]] const BodyLimits& limits() const noexcept { return limits_; }

 private:
  void release() noexcept;
  void make_room(std::size_t count);

  BodyLimits limits_;
  std::optional<std::uint64_t> length_;
  Buffer body_;
  std::size_t capacity_ = 0;  // of body_, without the headroom
  std::size_t charged_ = 0;   // taken from the budget
};

}  // namespace axl::http
