// One envelope being answered. For the envelope responder, which watches the time.
#pragma once

#include <axl/key.hpp>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "core/scheduler.hpp"
#include "services/mcp_caller.hpp"
#include "services/service_table.hpp"
#include "services/use_counter.hpp"

namespace axl::services {

class EnvelopeCall {
 public:
  /// An answer frame is at most as long as old peers accept; what stands around the JSON is far below the difference.
  static constexpr std::size_t kMaxAnswer = 16'777'216 - 4'096;
  /// Old callers give up after 30 s.
  static constexpr Duration kAnswerTime{std::chrono::seconds{29}};

  /// Called once, never inside begin(), with the answer's envelope; may destroy the call.
  using Done = std::function<void(std::string envelope)>;

  EnvelopeCall() = default;
  EnvelopeCall(const EnvelopeCall&) = delete;
  EnvelopeCall& operator=(const EnvelopeCall&) = delete;
  virtual ~EnvelopeCall() = default;  ///< cuts what is under way

  virtual void begin(Done done) = 0;
  /// The answer when there is none in time.
  [[nodiscard]] virtual std::string timed_out() = 0;

  /// "mcp" or "a2a".
  [[nodiscard]] virtual std::string_view kind() const noexcept = 0;
  /// Why there is no response in the answer, once that is known; empty: there is one.
  [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

  CountedCall counted;  ///< where this call is counted

 protected:
  std::string failure_;
};

}  // namespace axl::services
