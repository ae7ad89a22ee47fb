/** A message between two hosts, the first to its receiver: it waits for ARP. */
export const TWO_HOSTS = `
packet -64: UDP 10.0.0.1:32768 > 10.0.0.2:9000, 128 bytes, made for left/eth0 at 1.10 µs
delivered: read on CPU 0 of right, after 32.3 µs
waited: neighbour 16.7 µs, tx ring 900 ns, wire 133 ns, link 500 ns, DMA 951 ns, rx ring 9.96 µs, socket 1.43 µs
#          TIME    CPU  DURATION          FUNCTION CALLS
#             |      |   |   |              |   |   |   |
                |   0)                |  task send {
       0.000 us |   0)       0.088 us |    syscall();
       0.088 us |   0)       0.435 us |    sendmsg();
       0.524 us |   0)       0.003 us |    copy_from_user();
                |   0)                |  }
       0.526 us |  --) +    16.738 us |  /* waits: neighbour */
                |   0)                |  net_rx_action() {
                |   0)                |    napi_poll(left/eth0) {
      17.265 us |   0)       0.045 us |      ip_output();
      17.309 us |   0)       0.081 us |      dev_queue_xmit();
      17.391 us |   0)       0.082 us |      ndo_start_xmit();
                |   0)                |    }
                |   0)                |  }
      17.472 us |  --)       0.900 us |  /* waits: tx ring, left/eth0 tx-0 */
      18.372 us |  --)       0.133 us |  /* waits: wire, left/eth0 */
      18.505 us |  --)       0.500 us |  /* waits: link */
      19.005 us |  --)                |  /* last bit at right/eth0, where it is packet 4 */
      19.005 us |  --)       0.951 us |  /* waits: DMA, right/eth0 */
      19.956 us |  --)       9.962 us |  /* waits: rx ring, right/eth0 rx-0 */
      27.987 us |   0)       0.558 us |  handle_irq_event(eth0);  /* meanwhile */
                |   0)                |  net_rx_action() {
                |   0)                |    napi_poll(right/eth0) {
      29.918 us |   0)       0.092 us |      clean_rx();
      30.009 us |   0)       0.026 us |      gro_receive();  /* goes on as it is */
      30.035 us |   0)       0.060 us |      napi_complete();
      30.095 us |   0)       0.014 us |      netif_receive_skb();
      30.109 us |   0)       0.006 us |      ip_rcv();
      30.115 us |   0)       0.061 us |      ip_route_input();
      30.176 us |   0)       0.006 us |      ip_local_deliver();
      30.182 us |   0)       0.036 us |      udp_rcv();
      30.218 us |   0)       0.181 us |      udp_enqueue();
                |   0)                |    }
                |   0)                |  }
      30.398 us |  --)       1.427 us |  /* waits: socket, 0.0.0.0:9000 */
      30.945 us |   0)                |  /* sink is woken */
      30.945 us |   0)                |  /* switch to sink */
                |   0)                |  task sink {
      31.825 us |   0)       0.427 us |    recvmsg();
      32.252 us |   0)       0.003 us |    copy_to_user();
      32.255 us |   0)       0.030 us |    consume_skb();
                |   0)                |  }
      32.285 us |   0)                |  /* delivered: read on CPU 0 of right */
`

/** A datagram of three fragments: the way of the first, and of what is put together from all. */
export const FRAGMENTS = `
packet -64: UDP 10.0.0.1:32768 > 10.0.0.2:9000, 3,028 bytes, made for left/eth0 at 1.10 µs
delivered: read on CPU 0 of right, after 47.4 µs
waited: neighbour 16.7 µs, tx ring 900 ns, wire 1.23 µs, link 500 ns, DMA 1.29 µs, rx ring 8.52 µs, reassembly 14.5 µs, socket 1.43 µs
#          TIME    CPU  DURATION          FUNCTION CALLS
#             |      |   |   |              |   |   |   |
                |   0)                |  task send {
       0.000 us |   0)       0.088 us |    syscall();
       0.088 us |   0)       0.435 us |    sendmsg();
       0.524 us |   0)       0.078 us |    copy_from_user();
       0.602 us |   0)       0.018 us |    csum_and_copy();
       0.620 us |   0)                |    /* cut into fragments, of which packet -112 is the first */
                |   0)                |  }
       0.620 us |  --) +    16.738 us |  /* waits: neighbour */
                |   0)                |  net_rx_action() {
                |   0)                |    napi_poll(left/eth0) {
      17.358 us |   0)       0.045 us |      ip_output();
      17.403 us |   0)       0.081 us |      dev_queue_xmit();
      17.484 us |   0)       0.082 us |      ndo_start_xmit();
                |   0)                |    }
                |   0)                |  }
      17.566 us |  --)       0.900 us |  /* waits: tx ring, left/eth0 tx-0 */
      18.466 us |  --)       1.230 us |  /* waits: wire, left/eth0 */
      19.696 us |  --)       0.500 us |  /* waits: link */
      20.196 us |  --)                |  /* last bit at right/eth0, where it is packet 4 */
      20.196 us |  --)       1.294 us |  /* waits: DMA, right/eth0 */
      21.490 us |  --)       8.521 us |  /* waits: rx ring, right/eth0 rx-0 */
      28.080 us |   0)       0.558 us |  handle_irq_event(eth0);  /* meanwhile */
                |   0)                |  net_rx_action() {
                |   0)                |    napi_poll(right/eth0) {
      30.011 us |   0)       0.092 us |      clean_rx();
      30.103 us |   0)       0.026 us |      gro_receive();  /* goes on as it is */
      30.128 us |   0)       0.060 us |      napi_complete();
      30.188 us |   0)       0.014 us |      netif_receive_skb();
      30.202 us |   0)       0.006 us |      ip_rcv();
      30.208 us |   0)       0.061 us |      ip_route_input();
      30.269 us |   0)       0.006 us |      ip_local_deliver();
      30.275 us |   0)       0.078 us |      ip_defrag();
      30.353 us |   0)       0.316 us |      inet_frag_create();
                |   0)                |    }
                |   0)                |  }
      30.669 us |  --) +    14.544 us |  /* waits: reassembly */
                |   0)                |  net_rx_action() {
                |   0)                |    napi_poll(right/eth0) {
      45.213 us |   0)       0.047 us |      kfree_skb();
      45.260 us |   0)       0.036 us |      udp_rcv();
      45.296 us |   0)       0.181 us |      udp_enqueue();
                |   0)                |    }
                |   0)                |  }
      45.477 us |  --)       1.427 us |  /* waits: socket, 0.0.0.0:9000 */
      46.023 us |   0)                |  /* sink is woken */
      46.023 us |   0)                |  /* switch to sink */
                |   0)                |  task sink {
      46.903 us |   0)       0.427 us |    recvmsg();
      47.330 us |   0)       0.053 us |    copy_to_user();
      47.383 us |   0)       0.030 us |    consume_skb();
                |   0)                |  }
      47.414 us |   0)                |  /* delivered: read on CPU 0 of right */
`
