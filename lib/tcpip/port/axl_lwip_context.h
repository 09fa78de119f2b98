/* lwIP's variables as one struct per stack, and the pointer that makes one of them current on this thread. Included on
 * top of each lwIP source by the build, and by our code that touches lwIP. */
#ifndef AXL_TCPIP_PORT_CONTEXT_H
#define AXL_TCPIP_PORT_CONTEXT_H

#include "lwip/opt.h"

#include "lwip/ip.h"
#include "lwip/nd6.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/priv/nd6_priv.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/prot/nd6.h"
#include "lwip/tcp.h"
#include "lwip/timeouts.h"

#ifdef __cplusplus
extern "C" {
#endif

/* nd6.c's union of the same purpose is private to it. */
union axl_lwip_ra_buffer {
  struct lladdr_option lladdr;
  struct mtu_option mtu;
  struct prefix_option prefix;
};

struct axl_lwip_context {
  /* Ours. */
  void* owner;
  u32_t initial_window;
  u32_t half_open_timeout; /* milliseconds */
  s16_t rto_floor;         /* slow ticks */

  /* tcp.c */
  struct tcp_pcb* tcp_active_pcbs;
  u8_t tcp_active_pcbs_changed;
  struct tcp_pcb* tcp_bound_pcbs;
  union tcp_listen_pcbs_t tcp_listen_pcbs;
  struct tcp_pcb** tcp_pcb_lists[NUM_TCP_PCB_LISTS];
  u16_t tcp_port;
  u32_t tcp_ticks;
  u8_t tcp_timer;
  u8_t tcp_timer_ctr;
  struct tcp_pcb* tcp_tw_pcbs;
  u8_t tcp_ext_arg_id;

  /* tcp_in.c */
  u32_t ackno;
  u8_t flags;
  struct tcp_seg inseg;
  tcpwnd_size_t recv_acked;
  struct pbuf* recv_data;
  u8_t recv_flags;
  u32_t seqno;
  struct tcp_pcb* tcp_input_pcb;
  u16_t tcp_optidx;
  struct tcp_hdr* tcphdr;
  u16_t tcphdr_opt1len;
  u8_t* tcphdr_opt2;
  u16_t tcphdr_optlen;
  u16_t tcplen;

  /* nd6.c */
  struct nd6_router_list_entry default_router_list[LWIP_ND6_NUM_ROUTERS];
  struct nd6_destination_cache_entry destination_cache[LWIP_ND6_NUM_DESTINATIONS];
  s8_t last_router;
  ip6_addr_t multicast_address;
  netif_addr_idx_t nd6_cached_destination_index;
  union axl_lwip_ra_buffer nd6_ra_buffer;
  struct nd6_neighbor_cache_entry neighbor_cache[LWIP_ND6_NUM_NEIGHBORS];
  struct nd6_prefix_list_entry prefix_list[LWIP_ND6_NUM_PREFIXES];
  u32_t reachable_time;
  u32_t retrans_timer;

  /* netif.c, ip.c, pbuf.c, ip6_addr.c */
  struct netif* netif_default;
  struct netif* netif_list;
  u8_t netif_num;
  struct ip_globals ip_data;
  volatile u8_t pbuf_free_ooseq_pending;
  char str[40];
};

/* The context of the lwIP code now running on this thread; null outside of it. Initial-exec: one load, in a shared
 * library too. */
extern __thread struct axl_lwip_context* axl_lwip __attribute__((tls_model("initial-exec")));

/* RFC 6528: a keyed function of the connection, plus a clock. */
u32_t axl_lwip_isn(const ip_addr_t* local_ip, u16_t local_port, const ip_addr_t* remote_ip, u16_t remote_port);

/* The active connection of these ports with the sender of the packet in input; null when there is none. */
struct tcp_pcb* axl_lwip_find_active(u16_t local_port, u16_t remote_port);

err_t axl_lwip_on_segment(struct tcp_pcb* pcb);

/* The smoothed estimate, but never below the floor: the links below are TCP themselves, so loss shows as delay. */
#define AXL_LWIP_RTO(pcb) LWIP_MAX(((pcb)->sa >> 3) + (pcb)->sv, axl_lwip->rto_floor)

#ifdef __cplusplus
}
#endif

#endif
