// Memory for buffers of the sizes that packets, reads and encrypted batches have. A thread keeps a few freed blocks of
// each for the next one; the C library would give them back to the kernel after every burst and fetch them again, with
// every page cleared.
//
// Each thread has blocks of its own, one and two thirds of a megabyte at most, freed when it ends. A block may be freed on another
// thread than the one it came from. Under a sanitizer nothing is kept, so that it sees every use after free.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace axl {

struct BlockDeleter {
  std::uint8_t kind = 0;  ///< which size; 0: none of the pool's
  void operator()(std::byte* block) const noexcept;
};
using Block = std::unique_ptr<std::byte[], BlockDeleter>;

/// At least `size` uninitialised bytes; `size` becomes how many there are.
[[nodiscard]] Block take_block(std::size_t& size);

}  // namespace axl
