// Memory for buffers of the sizes that packets, reads and encrypted batches have, and for the small things that go with
// each. A thread keeps a few freed blocks of each size for the next one: packets in a steady flow take nothing from the
// heap, and large blocks are not given back to the kernel after every burst and fetched again with every page cleared.
//
// Each thread has blocks of its own, under two megabytes in all, freed when it ends. A block may be freed on another
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

/// As malloc() and free(), from such blocks. Null: no memory.
[[nodiscard]] void* take_memory(std::size_t size) noexcept;
void give_back_memory(void* memory) noexcept;

}  // namespace axl
