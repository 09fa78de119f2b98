/* lwIP's port to any hosted compiler. A failed assertion is logged and counted, never fatal: it may be a peer's doing. */
#ifndef AXL_TCPIP_PORT_ARCH_CC_H
#define AXL_TCPIP_PORT_ARCH_CC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
/* The ones' complement sum of `length` bytes, folded to 16 bits, in memory order; not inverted. */
uint16_t axl_lwip_checksum(const void* data, int length);
uint32_t axl_lwip_random(void);
/* From the blocks that our buffers come from: segments in a steady flow take nothing from the heap. */
void* axl_lwip_malloc(size_t size);
void* axl_lwip_calloc(size_t count, size_t size);
void axl_lwip_free(void* memory);
void axl_lwip_assertion_failed(const char* text, const char* file, int line);
#ifdef __cplusplus
}
#endif

/* The system's headers have htons and its kin. */
#define LWIP_DONT_PROVIDE_BYTEORDER_FUNCTIONS 1
#include <arpa/inet.h>
#define lwip_htons(x) htons(x)
#define lwip_htonl(x) htonl(x)

#define LWIP_RAND() axl_lwip_random()
#define LWIP_PLATFORM_DIAG(x) \
  do {                        \
  } while (0)
#define LWIP_PLATFORM_ASSERT(x) axl_lwip_assertion_failed(x, __FILE__, __LINE__)

#endif
