/** Two packets on one CPU, idle between them: each interrupts, is polled, wakes the reader and is read. */
export const TWO_PACKETS = `\
          <idle>-0       [000] d.h1.     0.000000: reschedule_entry: vector=253
          <idle>-0       [000] d.h1.     0.000000: reschedule_exit: vector=253
          <idle>-0       [000] d..2.     0.000000: sched_switch: prev_comm=swapper/0 prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=sink next_pid=1000 next_prio=120
            sink-1000    [000] d..2.     0.000001: sched_switch: prev_comm=sink prev_pid=1000 prev_prio=120 prev_state=S ==> next_comm=swapper/0 next_pid=0 next_prio=120
          <idle>-0       [000] d.h1.     0.000001: irq_handler_entry: irq=32 name=eth0
          <idle>-0       [000] d.h1.     0.000002: softirq_raise: vec=3 [action=NET_RX]
          <idle>-0       [000] d.h1.     0.000002: irq_handler_exit: irq=32 ret=handled
          <idle>-0       [000] ..s1.     0.000002: softirq_entry: vec=3 [action=NET_RX]
          <idle>-0       [000] ..s1.     0.000003: napi_gro_receive_entry: dev=eth0 napi_id=0x2001 queue_mapping=1 skbaddr=0000000036deb503 vlan_tagged=0 vlan_proto=0x0000 vlan_tci=0x0000 protocol=0x0800 ip_summed=1 hash=0x8ffc9f2c l4_hash=0 len=46 data_len=0 truesize=2304 mac_header_valid=1 mac_header=-14 nr_frags=0 gso_size=0 gso_type=0x0
          <idle>-0       [000] ..s1.     0.000003: napi_gro_receive_exit: ret=3
          <idle>-0       [000] ..s1.     0.000003: netif_receive_skb: dev=eth0 skbaddr=0000000036deb503 len=46
          <idle>-0       [000] d.s5.     0.000004: sched_waking: comm=sink pid=1000 prio=120 target_cpu=000
          <idle>-0       [000] d.s6.     0.000004: sched_wakeup: comm=sink pid=1000 prio=120 target_cpu=000
          <idle>-0       [000] ..s1.     0.000004: napi_poll: napi poll on napi struct 00000000d2f70507 for device eth0 work 1 budget 64
          <idle>-0       [000] ..s1.     0.000004: softirq_exit: vec=3 [action=NET_RX]
          <idle>-0       [000] d..2.     0.000004: sched_switch: prev_comm=swapper/0 prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=sink next_pid=1000 next_prio=120
            sink-1000    [000] d..2.     0.000006: sched_switch: prev_comm=sink prev_pid=1000 prev_prio=120 prev_state=S ==> next_comm=swapper/0 next_pid=0 next_prio=120
          <idle>-0       [000] d.h1.     0.000014: irq_handler_entry: irq=32 name=eth0
          <idle>-0       [000] d.h1.     0.000014: softirq_raise: vec=3 [action=NET_RX]
          <idle>-0       [000] d.h1.     0.000014: irq_handler_exit: irq=32 ret=handled
          <idle>-0       [000] ..s1.     0.000014: softirq_entry: vec=3 [action=NET_RX]
          <idle>-0       [000] ..s1.     0.000016: napi_gro_receive_entry: dev=eth0 napi_id=0x2001 queue_mapping=1 skbaddr=00000000b4421bbb vlan_tagged=0 vlan_proto=0x0000 vlan_tci=0x0000 protocol=0x0800 ip_summed=1 hash=0x8ffc9f2c l4_hash=0 len=46 data_len=0 truesize=2304 mac_header_valid=1 mac_header=-14 nr_frags=0 gso_size=0 gso_type=0x0
          <idle>-0       [000] ..s1.     0.000016: napi_gro_receive_exit: ret=3
          <idle>-0       [000] ..s1.     0.000016: netif_receive_skb: dev=eth0 skbaddr=00000000b4421bbb len=46
          <idle>-0       [000] d.s5.     0.000017: sched_waking: comm=sink pid=1000 prio=120 target_cpu=000
          <idle>-0       [000] d.s6.     0.000017: sched_wakeup: comm=sink pid=1000 prio=120 target_cpu=000
          <idle>-0       [000] ..s1.     0.000017: napi_poll: napi poll on napi struct 00000000d2f70507 for device eth0 work 1 budget 64
          <idle>-0       [000] ..s1.     0.000017: softirq_exit: vec=3 [action=NET_RX]
          <idle>-0       [000] d..2.     0.000017: sched_switch: prev_comm=swapper/0 prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=sink next_pid=1000 next_prio=120
            sink-1000    [000] d..2.     0.000018: sched_switch: prev_comm=sink prev_pid=1000 prev_prio=120 prev_state=S ==> next_comm=swapper/0 next_pid=0 next_prio=120`
