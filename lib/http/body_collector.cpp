#include "http/body_collector.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace axl::http {

namespace {
constexpr std::size_t kReserveAtMost = 1024 * 1024;
constexpr std::size_t kFirstRoom = 4096;
constexpr std::size_t kGrowth = 4;
}  // namespace

BodyCollector::BodyCollector(BodyLimits limits, std::optional<std::uint64_t> length)
    : limits_{limits}, length_{length} {}

BodyCollector::Verdict BodyCollector::admit() const noexcept {
  return length_ && *length_ > limits_.max_bytes ? Verdict::too_large : Verdict::ok;
}

BodyCollector::Verdict BodyCollector::append(ByteSpan bytes) {
  if (bytes.size() > limits_.max_bytes - body_.size()) return Verdict::too_large;
  if (limits_.budget != nullptr) {
    if (!limits_.budget->take(bytes.size())) return Verdict::no_budget;
    charged_ += bytes.size();
  }
  make_room(bytes.size());
  body_.append(bytes);
  return Verdict::ok;
}

Buffer BodyCollector::take() {
  release();
  capacity_ = 0;
  if (limits_.headroom > 0 && body_.headroom() == 0) return Buffer{0, limits_.headroom};
  return std::move(body_);
}

void BodyCollector::release() noexcept {
  if (limits_.budget != nullptr && charged_ > 0) limits_.budget->give_back(charged_);
  charged_ = 0;
}

void BodyCollector::make_room(std::size_t count) {
  const std::size_t needed = body_.size() + count;
  if (needed <= capacity_) return;
  std::size_t wanted = std::max(needed, kFirstRoom);
  if (capacity_ > 0) wanted = std::max(wanted, std::min(capacity_ * kGrowth, limits_.max_bytes));
  if (length_) {  // admit() has compared it with the limit
    const auto announced = static_cast<std::size_t>(*length_);
    if (capacity_ == 0) wanted = std::max(wanted, std::min(announced, kReserveAtMost));
    if (wanted > announced && needed <= announced) wanted = announced;
  }
  Buffer larger{body_.size(), limits_.headroom, wanted - body_.size()};
  if (!body_.empty()) std::memcpy(larger.data(), body_.data(), body_.size());
  body_ = std::move(larger);
  capacity_ = wanted;
}

}  // namespace axl::http
