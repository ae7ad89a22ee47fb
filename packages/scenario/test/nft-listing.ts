/** What `nft list ruleset` (1.0.6, Linux 6.18) printed of rules that use every match and statement. */
export const LISTING = `table inet t {
	set bad {
		type ipv4_addr
		flags interval
		elements = { 10.0.0.0/8, 192.168.0.1 }
	}

	chain web {
		tcp dport 80 accept
		return
	}

	chain i {
		type filter hook input priority filter - 5; policy drop;
		ip saddr 10.0.0.0/24 udp dport 53 counter packets 0 bytes 0 accept comment "dns"
		udp dport { 53, 80 } accept
		udp dport 1000-2000 drop
		udp dport != 1000-2000 counter packets 0 bytes 0
		ip saddr { 10.0.0.0/24, 10.2.0.0/16 } drop
		ip saddr { 10.0.0.1, 10.2.0.2 } drop
		ip saddr 10.0.0.1-10.0.0.9 drop
		ip saddr @bad drop
		ct state established,related accept
		ct state { invalid, new } accept
		ct state invalid drop
		iifname "eth0" accept
		iifname "eth*" accept
		iif "lo" accept
		ether saddr 02:00:00:00:00:01 accept
		icmp type echo-request limit rate 10/second burst 3 packets accept
		icmp type { echo-reply, echo-request } accept
		limit rate over 1 mbytes/second drop
		tcp flags syn / fin,syn accept
		tcp flags syn accept
		tcp flags syn / syn,ack accept
		udp dport vmap { 53 : accept, 80-90 : jump web }
		meta l4proto { tcp, udp } th dport 53 accept
		meta mark set 0x00000001
		ct mark set meta mark
		meta mark 0x00000001 accept
		ip protocol icmp accept
		ip ttl < 5 drop
		ip dscp cs1 drop
		ip length > 1000 drop
		meta length 100-200 drop
		ip saddr 10.0.0.1 tcp dport 22 reject with tcp reset
		reject
		reject with icmp port-unreachable
		udp dport 7 reject with icmpx admin-prohibited
		meta pkttype broadcast drop
	}
}
table ip n {
	chain p {
		type nat hook prerouting priority dstnat; policy accept;
		udp dport 5000 dnat to 10.9.0.1:53
		tcp dport 80 dnat to 10.0.0.1-10.0.0.4
		udp dport 99 redirect to :53
	}

	chain q {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "eth0" masquerade
		udp dport 1 snat to 1.2.3.4:1024-2048
	}
}
table ip b {
	set s {
		type inet_service
		flags interval
		elements = { 1-5, 80, 443 }
	}

	set names {
		type ifname
		elements = { "eth0", "eth1" }
	}

	chain d {
	}

	chain i {
		type filter hook input priority filter + 7; policy accept;
		ct state != new drop
		ct state != { established, new } drop
		ct state == new drop
		ct state established,new counter packets 3 bytes 9 drop
		tcp flags == syn drop
		tcp flags != syn drop
		tcp flags fin,syn drop
		tcp flags { syn, ack } drop
		tcp flags syn,ack drop
		reject
		reject
		reject with icmp host-unreachable
		iifname @names drop
		udp dport @s drop
		ip saddr 10.0.0.0-10.0.0.254 drop
		ip saddr != { 10.0.0.0/8, 11.0.0.1-11.0.0.9 } drop
		ip saddr 10.0.0.0/20 drop
		ip dscp { cs1, 0x3f } drop
		ip dscp 0x03 drop
		ip protocol { icmp, 200 } drop
		meta l4proto 200 drop
		icmp type 99 drop
		icmp code port-unreachable drop
		icmp type destination-unreachable icmp code host-unreachable drop
		limit rate 5/minute drop
		limit rate over 1500 bytes/second burst 3000 bytes drop
		limit rate 10 kbytes/hour burst 1 mbytes drop
		meta mark & 0x000000ff == 0x00000012 drop
		meta mark & 0x00000001 == 0x00000001 drop
		ct mark set 0x00000005
		ct mark 0x00000005 ct direction original drop
		meta pkttype { host, other } drop
		iifname "tun*" oifname "x" drop
		iif "lo" drop
		udp length 8-20 drop
		th dport 53 drop
		udp sport 0-1023 drop
		udp sport != 53 udp dport != 53 drop
		ip saddr 1.1.1.1 ip daddr 2.2.2.2 udp sport 5 udp dport 6 drop
		ip ttl 1 jump d
		ip saddr vmap { 10.0.0.0/8 : goto d, 11.0.0.1 : return }
	}
}
table ip a {
	chain i {
		type filter hook input priority filter + 7; policy accept;
		tcp flags != syn / syn,ack drop
		tcp flags ! syn drop
		ct state != new drop
	}
}
`
