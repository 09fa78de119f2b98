# Our changes to lwIP 2.2.1, beside the context (cmake/lwip_contexts.cmake): file, how often the text occurs, old, new.

# A receive window per connection, which its owner makes larger while the reader keeps up.
patch(lwip/tcp.h 1 "((tcpwnd_size_t)(((pcb)->flags & TF_WND_SCALE) ? TCP_WND : TCPWND16(TCP_WND)))" "((pcb)->rcv_wnd_max)")
patch(lwip/tcp.h 1 "  tcpwnd_size_t rcv_ann_wnd;" "  tcpwnd_size_t rcv_wnd_max;\n  tcpwnd_size_t rcv_ann_wnd;")
patch(core/tcp.c 2 "pcb->rcv_ann_wnd = TCPWND_MIN16(TCP_WND)"
      "pcb->rcv_ann_wnd = pcb->rcv_wnd_max = TCPWND_MIN16(axl_lwip->initial_window)")
patch(core/tcp.c 1 "LWIP_MIN((TCP_WND / 2), pcb->mss)" "LWIP_MIN((pcb->rcv_wnd_max / 2), pcb->mss)")
patch(core/tcp_in.c 2 "== TCPWND_MIN16(TCP_WND)" "== TCPWND_MIN16(axl_lwip->initial_window)")
patch(core/tcp_in.c 1 "pcb->rcv_ann_wnd = TCP_WND;" "pcb->rcv_ann_wnd = pcb->rcv_wnd_max = axl_lwip->initial_window;")

# Retransmission: a floor under the time-out, ten segments at once in the beginning.
patch(core/tcp_in.c 2 "pcb->rto = (s16_t)((pcb->sa >> 3) + pcb->sv);" "pcb->rto = (s16_t)AXL_LWIP_RTO(pcb);")
patch(core/tcp.c 1 "int calc_rto = ((pcb->sa >> 3) + pcb->sv) <<" "int calc_rto = AXL_LWIP_RTO(pcb) <<")
patch(core/tcp_in.c 1 "((tcpwnd_size_t)LWIP_MIN((4U * (mss)), LWIP_MAX((2U * (mss)), 4380U)))" "((tcpwnd_size_t)(10U * (mss)))")

# Half-open connections go early; closing ones with data under way do not.
patch(lwip/priv/tcp_priv.h 1 "#define TCP_SYN_RCVD_TIMEOUT 20000" "#define TCP_SYN_RCVD_TIMEOUT axl_lwip->half_open_timeout")
patch(core/tcp.c 1 "> 2 * TCP_MSL / TCP_SLOW_INTERVAL) {\n        ++pcb_remove;" "> 120000U / TCP_SLOW_INTERVAL) {\n        ++pcb_remove;")

# A peer that went away is noticed in the half-closed state too.
patch(core/tcp.c 1 "        ((pcb->state == ESTABLISHED) ||\n" "        ((pcb->state == ESTABLISHED) || (pcb->state == FIN_WAIT_2) ||\n")

# While the way to the peer is blocked nothing is offered to it, and its clocks stand still.
patch(lwip/tcp.h 1 "  u8_t last_timer;\n" "  u8_t last_timer;\n  u8_t blocked;\n")
patch(core/tcp_out.c 1 "  if (axl_lwip->tcp_input_pcb == pcb) {\n" "  if ((axl_lwip->tcp_input_pcb == pcb) || pcb->blocked) {\n")
patch(core/tcp.c 1 "    pcb_reset = 0;\n"
      "    pcb_reset = 0;\n    if (pcb->blocked && (pcb->state != SYN_RCVD)) {\n      ++pcb->tmr;\n      prev = pcb;\n      pcb = pcb->next;\n      continue;\n    }\n")

# A segment finds its connection by our table, not by a walk along all of them.
patch(core/tcp_in.c 1 "  for (pcb = axl_lwip->tcp_active_pcbs; pcb != NULL; pcb = pcb->next) {\n    LWIP_ASSERT(\"tcp_input: active pcb->state != CLOSED\""
      "  for (pcb = axl_lwip_find_active(axl_lwip->tcphdr->dest, axl_lwip->tcphdr->src); pcb != NULL; pcb = NULL) {\n    LWIP_ASSERT(\"tcp_input: active pcb->state != CLOSED\"")

# The segment size is agreed in the SYN, within reason: lwIP would take it from any segment, and then miscount the ones it
# has queued.
patch(core/tcp_in.c 1 "pcb->mss = ((mss > TCP_MSS) || (mss == 0)) ? TCP_MSS : mss;"
      "if (axl_lwip->flags & TCP_SYN) {\n            pcb->mss = LWIP_MIN(LWIP_MAX(mss, 536), TCP_MSS);\n          }")

# The option parser reads no byte behind the options.
patch(core/tcp_in.c 1 "  u16_t optidx = axl_lwip->tcp_optidx++;\n"
      "  u16_t optidx = axl_lwip->tcp_optidx++;\n  if (optidx >= axl_lwip->tcphdr_optlen) {\n    return 0;\n  }\n")
