#include "status.hpp"

#include <axl/version.hpp>
#include <cstdlib>

namespace axl::c {

namespace {

std::string& last_text() {
  thread_local std::string text;
  return text;
}

Errc errc_of_system(const std::error_code& code) noexcept {
  if (code == std::errc::permission_denied) return Errc::permission_denied;
  if (code == std::errc::operation_not_permitted) return Errc::permission_denied;
  if (code == std::errc::timed_out) return Errc::timed_out;
  if (code == std::errc::connection_refused) return Errc::refused;
  if (code == std::errc::not_enough_memory || code == std::errc::too_many_files_open) return Errc::limit_reached;
  return Errc::io;
}

}  // namespace

axl_status status_of(const Error& error) noexcept {
  const auto code = error.code();
  if (code.category() == error_category()) return static_cast<axl_status>(code.value());
  return static_cast<axl_status>(errc_of_system(code));
}

axl_status fail(axl_status status, std::string_view text) noexcept {
  try {
    last_text().assign(text);
  } catch (...) {
    last_text().clear();
  }
  return status;
}

axl_status fail(const Error& error) noexcept { return fail(status_of(error), error.text()); }

char* new_text(std::string_view text) {
  auto* copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (copy == nullptr) throw std::bad_alloc{};
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  return copy;
}

}  // namespace axl::c

extern "C" {

const char* axl_status_text(axl_status status) {
  switch (axl::c::number_of(status)) {
    case AXL_OK: return "ok";
    case AXL_E_INVALID_ARGUMENT: return "invalid argument";
    case AXL_E_MALFORMED: return "malformed";
    case AXL_E_TOO_LARGE: return "too large";
    case AXL_E_CLOSED: return "closed";
    case AXL_E_REFUSED: return "refused";
    case AXL_E_TIMED_OUT: return "timed out";
    case AXL_E_WOULD_BLOCK: return "would block";
    case AXL_E_NOT_SUPPORTED: return "not supported";
    case AXL_E_ALREADY_EXISTS: return "already exists";
    case AXL_E_NOT_FOUND: return "not found";
    case AXL_E_LIMIT_REACHED: return "limit reached";
    case AXL_E_PERMISSION_DENIED: return "permission denied";
    case AXL_E_KEY_MISMATCH: return "key mismatch";
    case AXL_E_UNREACHABLE: return "unreachable";
    case AXL_E_IO: return "input/output failure";
    case AXL_E_CRYPTO: return "cryptographic failure";
    case AXL_E_BUSY: return "busy";
    case AXL_E_DELIVERY_UNKNOWN: return "delivery unknown";
    case AXL_E_INTERNAL: return "internal failure";
    case AXL_E_CANCELLED: return "cancelled";
    case AXL_E_ENDED: return "ended";
  }
  return "unknown status";
}

const char* axl_last_error(void) { return axl::c::last_text().c_str(); }

const char* axl_version(void) { return axl::kVersion; }

void axl_free(void* text) { std::free(text); }

}  // extern "C"
