/** A packet of a list that waits for a sleeping reader on another CPU. */
export const DELIVERED = `
packet 3: UDP 198.51.100.1:10002 > 192.0.2.1:9000, 60 bytes, on eth0 at 5.57 µs
delivered: read on CPU 1, after 17.1 µs
waited: DMA 930 ns, rx ring 9.65 µs behind 1, gro 529 ns, cache line 32 ns, socket 3.92 µs behind 1
#          TIME    CPU  DURATION          FUNCTION CALLS
#             |      |   |   |              |   |   |   |
       0.000 us |  --)                |  /* last bit at eth0, 60 bytes */
       0.000 us |  --)       0.930 us |  /* waits: DMA, eth0 */
       0.930 us |  --)       9.648 us |  /* waits: rx ring, eth0 rx-0, behind 1 */
       8.530 us |   0)       0.558 us |  handle_irq_event(eth0-rx-0);  /* meanwhile */
                |   0)                |  net_rx_action() {
                |   0)                |    napi_poll(eth0) {
      10.578 us |   0)       0.092 us |      clean_rx();
      10.670 us |   0)       0.026 us |      gro_receive();  /* goes on as it is */
      10.695 us |  --)       0.529 us |      /* waits: gro, rx_list */
      11.224 us |   0)       0.082 us |      netif_receive_skb();  /* list of 6 */
      11.307 us |   0)       0.038 us |      ip_rcv();  /* list of 6 */
      11.345 us |   0)       0.366 us |      ip_route_input();  /* list of 6 */
      11.711 us |   0)       0.035 us |      ip_local_deliver();  /* list of 6 */
      11.746 us |   0)       0.215 us |      udp_rcv();  /* list of 6 */
      12.561 us |   0)       0.181 us |      udp_enqueue();
                |   0)                |    }
                |   0)                |  }
      12.742 us |  --)       0.032 us |  /* waits: cache line, to CPU 1 */
      12.774 us |  --)       3.923 us |  /* waits: socket, 0.0.0.0:9000, behind 1 */
      14.993 us |   1)                |  /* switch to sink */
                |   1)                |  task sink {
      16.697 us |   1)       0.427 us |    recvmsg();
      17.124 us |   1)       0.016 us |    remote_skb();
      17.140 us |   1)       0.000 us |    copy_to_user();
                |   1)                |  }
      17.141 us |   1)                |  /* delivered: read on CPU 1 */
`

/** Interrupt on CPU 0, backlog of CPU 1, reader on CPU 2. */
export const STEERED = `
packet 20: UDP 198.51.100.1:10003 > 192.0.2.1:9000, 60 bytes, on eth0 at 19.6 µs
delivered: read on CPU 2, after 19.5 µs
waited: DMA 930 ns, rx ring 8.07 µs behind 2, gro 644 ns, cache line 32 ns, backlog 4.54 µs behind 2, cache line 32 ns, socket 4.35 µs behind 5
#          TIME    CPU  DURATION          FUNCTION CALLS
#             |      |   |   |              |   |   |   |
       0.000 us |  --)                |  /* last bit at eth0, 60 bytes */
       0.000 us |  --)       0.930 us |  /* waits: DMA, eth0 */
       0.930 us |  --)       8.065 us |  /* waits: rx ring, eth0 rx-0, behind 2 */
       6.830 us |   0)       0.558 us |  handle_irq_event(eth0);  /* meanwhile */
                |   0)                |  net_rx_action() {
                |   0)                |    napi_poll(eth0) {
       8.995 us |   0)       0.092 us |      clean_rx();
       9.087 us |   0)       0.026 us |      gro_receive();  /* goes on as it is */
       9.113 us |  --)       0.644 us |      /* waits: gro, rx_list */
       9.756 us |   0)       0.017 us |      get_rps_cpu();
       9.773 us |   0)       0.012 us |      enqueue_to_backlog();
       9.785 us |   0)                |      /* steered to CPU 1 */
                |   0)                |    }
                |   0)                |  }
       9.785 us |  --)       0.032 us |  /* waits: cache line, to CPU 1 */
       9.817 us |  --)       4.543 us |  /* waits: backlog, CPU 1, behind 2 */
      13.172 us |   1)       0.400 us |  sysvec_call_function_single();  /* meanwhile */
                |   1)                |  net_rx_action() {
                |   1)                |    process_backlog() {
      14.360 us |   1)       0.025 us |      process_backlog();
      14.385 us |   1)       0.014 us |      netif_receive_skb();
      14.399 us |   1)       0.006 us |      ip_rcv();
      14.405 us |   1)       0.061 us |      ip_route_input();
      14.466 us |   1)       0.006 us |      ip_local_deliver();
      14.472 us |   1)       0.036 us |      udp_rcv();
      14.508 us |   1)       0.181 us |      udp_enqueue();
                |   1)                |    }
                |   1)                |  }
      14.689 us |  --)       0.032 us |  /* waits: cache line, to CPU 2 */
      14.721 us |  --)       4.352 us |  /* waits: socket, 0.0.0.0:9000, behind 5 */
                |   2)                |  task sink {
      19.073 us |   2)       0.427 us |    recvmsg();
      19.500 us |   2)       0.016 us |    remote_skb();
      19.516 us |   2)       0.000 us |    copy_to_user();
                |   2)                |  }
      19.516 us |   2)                |  /* delivered: read on CPU 2 */
`

/** The 64th packet of a flood, with 63 descriptors taken. */
export const DROPPED_IN_RING = `
packet 64: UDP 198.51.100.1:10003 > 192.0.2.1:9000, 60 bytes, on eth0 at 8.44 µs
dropped: NIC_RX_NO_BUFFER in rx_ring, after 930 ns
waited nowhere
#          TIME    CPU  DURATION          FUNCTION CALLS
#             |      |   |   |              |   |   |   |
       0.000 us |  --)                |  /* last bit at eth0, 60 bytes */
       0.930 us |  --)                |  /* no descriptor for it in eth0 rx-0 */
       0.930 us |  --)                |  /* dropped: NIC_RX_NO_BUFFER in rx_ring */
`

/** Steered by CPU 2, refused by CPU 1. */
export const DROPPED_IN_BACKLOG = `
packet 78: UDP 198.51.100.1:10001 > 192.0.2.1:9000, 60 bytes, on eth0 at 19.8 µs
dropped on CPU 1: CPU_BACKLOG in enqueue_to_backlog, after 4.59 µs
waited: DMA 930 ns, rx ring 3.12 µs behind 21, gro 226 ns, cache line 187 ns
#          TIME    CPU  DURATION          FUNCTION CALLS
#             |      |   |   |              |   |   |   |
       0.000 us |  --)                |  /* last bit at eth0, 60 bytes */
       0.000 us |  --)       0.930 us |  /* waits: DMA, eth0 */
       0.930 us |  --)       3.124 us |  /* waits: rx ring, eth0 rx-2, behind 21 */
                |   2)                |  net_rx_action() {
                |   2)                |    napi_poll(eth0) {
       4.054 us |   2)       0.092 us |      clean_rx();
       4.146 us |  --)       0.226 us |      /* waits: gro, rx_list */
       4.372 us |   2)       0.017 us |      get_rps_cpu();
       4.389 us |   2)       0.012 us |      enqueue_to_backlog();
       4.401 us |   2)                |      /* steered to CPU 1 */
                |   2)                |    }
                |   2)                |  }
       4.401 us |  --)       0.187 us |  /* waits: cache line, to CPU 1 */
       4.588 us |   1)                |  /* dropped on CPU 1: CPU_BACKLOG in enqueue_to_backlog */
`

/** The second of two datagrams that GRO joins. */
export const MERGED = `
packet 5: UDP 198.51.100.1:10000 > 192.0.2.1:9000, 342 bytes, on eth0 at 4.79 µs
delivered as part of packet 4: read on CPU 0, after 27.1 µs
waited: DMA 1.00 µs, rx ring 20.6 µs behind 1, gro 3.00 µs, socket 1.43 µs
#          TIME    CPU  DURATION          FUNCTION CALLS
#             |      |   |   |              |   |   |   |
       0.000 us |  --)                |  /* last bit at eth0, 342 bytes */
       0.000 us |  --)       1.000 us |  /* waits: DMA, eth0 */
       1.000 us |  --) +    20.648 us |  /* waits: rx ring, eth0 rx-0, behind 1 */
      19.601 us |   0)       0.558 us |  handle_irq_event(eth0);  /* meanwhile */
                |   0)                |  net_rx_action() {
                |   0)                |    napi_poll(eth0) {
      21.649 us |   0)       0.092 us |      clean_rx();
      21.740 us |   0)       0.026 us |      gro_receive();
      21.766 us |   0)                |      /* merged into packet 4 */
      21.766 us |   0)       0.008 us |      gro_merge();
      21.774 us |  --)       3.003 us |      /* waits: gro, gro_list */
      24.777 us |   0)       0.060 us |      napi_complete();
      24.837 us |   0)       0.030 us |      gro_flush();
      24.867 us |   0)       0.014 us |      netif_receive_skb();
      24.881 us |   0)       0.006 us |      ip_rcv();
      24.887 us |   0)       0.061 us |      ip_route_input();
      24.948 us |   0)       0.006 us |      ip_local_deliver();
      24.954 us |   0)       0.036 us |      udp_rcv();
      24.990 us |   0)       0.181 us |      udp_enqueue();
                |   0)                |    }
                |   0)                |  }
      25.170 us |  --)       1.427 us |  /* waits: socket, 0.0.0.0:9000 */
      25.717 us |   0)                |  /* sink is woken */
      25.717 us |   0)                |  /* switch to sink */
                |   0)                |  task sink {
      26.597 us |   0)       0.427 us |    recvmsg();
      27.024 us |   0)       0.053 us |    copy_to_user();
      27.077 us |   0)       0.030 us |    consume_skb();
                |   0)                |  }
      27.107 us |   0)                |  /* delivered as part of packet 4: read on CPU 0 */
`
