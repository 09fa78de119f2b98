// Whether freed memory is kept for the next who needs some. Under a sanitizer it is not, so that it sees every use after
// free.
#pragma once

namespace axl {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kKeepFreedMemory = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
inline constexpr bool kKeepFreedMemory = false;
#else
inline constexpr bool kKeepFreedMemory = true;
#endif
#else
inline constexpr bool kKeepFreedMemory = true;
#endif

}  // namespace axl
