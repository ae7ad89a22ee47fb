/**
 * The POSIX shell script that collects a host's settings for `softnet import`.
 *
 * It reads `/proc`, `/sys` and what `ethtool`, `sysctl`, `lscpu` and `ip` print, and writes to one new directory.
 */
export const COLLECT_SCRIPT = `#!/bin/sh
# Collects the settings of this host for softnet import. It changes nothing: it reads, and writes to one new directory.
#   sh collect.sh DIR [SECONDS]      counters are read twice, SECONDS apart (10)
#   softnet import DIR
# As root it sees all of sysctl; without ethtool, lscpu or ip their part is left out.
set -u
out=\${1:?usage: sh collect.sh DIR [SECONDS]}
seconds=\${2:-10}
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH
umask 077
mkdir -- "$out" && cd -- "$out" || exit 1

# keep FILE COMMAND...: what the command prints; no file where that is nothing.
keep() {
  file=$1
  shift
  "$@" >"$file" 2>/dev/null
  [ -s "$file" ] || rm -f -- "$file"
}

counters() {
  mkdir "$1"
  keep "$1/uptime" cat /proc/uptime
  keep "$1/softnet_stat" cat /proc/net/softnet_stat
  keep "$1/net_dev" cat /proc/net/dev
  keep "$1/interrupts" cat /proc/interrupts
}

kernel_config() {
  grep '^CONFIG_HZ=' "/boot/config-$(uname -r)" || zcat /proc/config.gz | grep '^CONFIG_HZ='
}

network_sysctls() {
  sysctl -a | grep '^net\\.'
}

# Network cards; in a namespace without one, whatever is there.
cards() {
  found=
  for path in /sys/class/net/*; do
    [ -e "$path/device" ] && found="$found \${path##*/}"
  done
  if [ -z "$found" ]; then
    for path in /sys/class/net/*; do
      [ "\${path##*/}" = lo ] || found="$found \${path##*/}"
    done
  fi
  echo "$found"
}

counters start
keep uname uname -r
keep kernel-config kernel_config
keep lscpu lscpu
keep sysctl network_sysctls
keep ip-addr ip -o -4 addr show
keep irq-affinity grep -Hs . /proc/irq/[0-9]*/smp_affinity /proc/irq/[0-9]*/effective_affinity
keep queues grep -Hs . /sys/class/net/*/queues/rx-*/rps_cpus /sys/class/net/*/queues/rx-*/rps_flow_cnt
keep devices grep -Hs . /sys/class/net/*/mtu /sys/class/net/*/speed /sys/class/net/*/device/numa_node \\
  /sys/class/net/*/napi_defer_hard_irqs /sys/class/net/*/gro_flush_timeout /sys/class/net/*/threaded
for option in i g l c x k S; do
  mkdir "ethtool-$option"
  for card in $(cards); do
    keep "ethtool-$option/$card" ethtool "-$option" "$card"
  done
done
mkdir ethtool-n-udp4
for card in $(cards); do
  keep "ethtool-n-udp4/$card" ethtool -n "$card" rx-flow-hash udp4
done
sleep "$seconds"
counters end
echo "wrote $out; next: softnet import $out"
`
