#include <axl/error.hpp>

namespace axl {

namespace {

class Category final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "axl"; }
  [[nodiscard]] std::string message(int value) const override {
    switch (static_cast<Errc>(value)) {
      case Errc::invalid_argument: return "invalid argument";
      case Errc::malformed: return "malformed input";
      case Errc::too_large: return "too large";
      case Errc::closed: return "closed";
      case Errc::refused: return "refused";
      case Errc::timed_out: return "timed out";
      case Errc::would_block: return "would block";
      case Errc::not_supported: return "not supported";
      case Errc::already_exists: return "already exists";
      case Errc::not_found: return "not found";
      case Errc::limit_reached: return "limit reached";
      case Errc::permission_denied: return "permission denied";
      case Errc::key_mismatch: return "peer key mismatch";
      case Errc::unreachable: return "unreachable";
      case Errc::io: return "input/output error";
      case Errc::crypto: return "cryptographic check failed";
      case Errc::busy: return "peer is busy";
      case Errc::delivery_unknown: return "delivery unknown";
      case Errc::internal: return "internal error";
      case Errc::cancelled: return "cancelled";
      case Errc::ended: return "ended";
    }
    return "unknown error";
  }
};

}  // namespace

const std::error_category& error_category() noexcept {
  static const Category category;
  return category;
}

}  // namespace axl
