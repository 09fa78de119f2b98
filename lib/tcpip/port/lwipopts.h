/* lwIP's options: IPv6 and TCP only, callback API, no threads, memory by our pool. Values that a stack may choose (window, timer
 * floor) are members of the context instead. */
#ifndef AXL_TCPIP_PORT_LWIPOPTS_H
#define AXL_TCPIP_PORT_LWIPOPTS_H

/* One thread at a time per context; time is told by the owner, who calls tcp_fasttmr() and tcp_slowtmr(). */
#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_TIMERS 0

/* What is compiled. */
#define LWIP_IPV4 0
#define LWIP_IPV6 1
#define LWIP_TCP 1
#define LWIP_ICMP6 1
#define LWIP_UDP 0
#define LWIP_RAW 0
#define LWIP_DNS 0
#define LWIP_DHCP 0
#define LWIP_IPV6_DHCP6 0
#define LWIP_IGMP 0
#define LWIP_IPV6_MLD 0
#define LWIP_ARP 0
#define LWIP_ETHERNET 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_STATS 0
#define LWIP_NETIF_LOOPBACK 0
#define LWIP_HAVE_LOOPIF 0

/* No neighbour discovery on the overlay: one address, preferred at once, no router, no fragments. */
#define LWIP_IPV6_NUM_ADDRESSES 1
#define LWIP_IPV6_FRAG 0
#define LWIP_IPV6_REASS 0
#define LWIP_IPV6_FORWARD 0
#define LWIP_IPV6_SCOPES 0
#define LWIP_IPV6_AUTOCONFIG 0
#define LWIP_IPV6_SEND_ROUTER_SOLICIT 0
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS 0
#define LWIP_ND6_QUEUEING 0
#define LWIP_ND6_ALLOW_RA_UPDATES 0
#define LWIP_ND6_TCP_REACHABILITY_HINTS 0
#define LWIP_ND6_NUM_NEIGHBORS 1
#define LWIP_ND6_NUM_DESTINATIONS 1
#define LWIP_ND6_NUM_PREFIXES 1
#define LWIP_ND6_NUM_ROUTERS 1

/* The largest that a u16_t length allows; the interface's MTU and the peer's option decide per connection. */
#define TCP_MSS 65475
#define TCP_CALCULATE_EFF_SEND_MSS 1
#define LWIP_DISABLE_TCP_SANITY_CHECKS 1

/* Windows: these are ceilings. A connection's own maximum (rcv_wnd_max, ours) starts small and grows. */
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 8
#define TCP_WND (8 * 1024 * 1024)
#define TCP_SND_BUF (16 * 1024 * 1024)
/* In pbufs, two or more a segment: bounds what a peer with a tiny window can make us queue. */
#define TCP_SND_QUEUELEN 8192
/* lwIP's own threshold would be larger than a young connection's whole window. */
#define TCP_WND_UPDATE_THRESHOLD (pcb->rcv_wnd_max / 4)

/* Out-of-order data is kept within the window that the peer was shown, and in a list short enough to walk. */
#define TCP_QUEUE_OOSEQ 1
#define LWIP_TCP_SACK_OUT 1
#define LWIP_TCP_MAX_SACK_NUM 4
#define TCP_OOSEQ_BYTES_LIMIT(pcb) ((pcb)->rcv_wnd_max)
#define TCP_OOSEQ_PBUFS_LIMIT(pcb) 2048

#define LWIP_TCP_TIMESTAMPS 0
#define TCP_OVERSIZE 0

/* Ticks of 25 ms: with the usual 250 a lost packet stalls a stream for seconds. A slow tick is two of them. */
#define TCP_TMR_INTERVAL 25
#define LWIP_TCP_RTO_TIME 1000
#define TCP_MSL 500
#define TCP_SYNMAXRTX 12
#define TCP_MAXRTX 12

#define LWIP_TCP_KEEPALIVE 1
#define TCP_KEEPIDLE_DEFAULT 60000U
#define TCP_KEEPINTVL_DEFAULT 10000U
#define TCP_KEEPCNT_DEFAULT 5U

/* Half-open connections are counted per peer and in all by our hook; lwIP's count ends at 255. */
#define TCP_LISTEN_BACKLOG 0
/* One tag of ours per pcb: made when a SYN comes, told when the pcb is freed. */
#define LWIP_TCP_PCB_NUM_EXT_ARGS 1

#define MEM_ALIGNMENT 8
#define MEM_CUSTOM_ALLOCATOR 1
#define MEM_CUSTOM_MALLOC axl_lwip_malloc
#define MEM_CUSTOM_CALLOC axl_lwip_calloc
#define MEM_CUSTOM_FREE axl_lwip_free
#define MEMP_MEM_MALLOC 1
#define MEM_SIZE 65536
#define LWIP_SUPPORT_CUSTOM_PBUF 1
#define PBUF_LINK_HLEN 0
#define PBUF_POOL_BUFSIZE 1024 /* never allocated */

/* Every peer's stack checks; ours need not, for each packet came out of an AEAD. */
#define LWIP_CHKSUM axl_lwip_checksum
#define CHECKSUM_GEN_TCP 0 /* packet_buffer.cpp does, while it copies */
#ifdef AXL_CHECKED
#define CHECKSUM_CHECK_TCP 1
#else
#define CHECKSUM_CHECK_TCP 0
#endif

#define LWIP_HOOK_TCP_ISN axl_lwip_isn
/* Remembers which connection a segment belongs to: some changes of state come without a callback. */
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, hdr, optlen, opt1len, opt2, p) axl_lwip_on_segment(pcb)

#endif
