#!/bin/sh
# Installs the foreign programs that the tests run against, where that can be done: on Debian and
# its kin, as root. Elsewhere the tests that need a missing one are skipped, and say which package
# has it; with CI=true they fail.
set -eu
export DEBIAN_FRONTEND=noninteractive PATH="$PATH:/usr/sbin:/sbin"

# program:package
peers="snmpd:snmpd
snmpwalk:snmp
prometheus:prometheus
promtool:prometheus
prometheus-snmp-exporter:prometheus-snmp-exporter
prometheus-blackbox-exporter:prometheus-blackbox-exporter
prometheus-smokeping-prober:prometheus-smokeping-prober
ip:iproute2
ping:iputils-ping
fping:fping
nft:nftables
prometheus-alertmanager:prometheus-alertmanager
snmptrapd:snmptrapd
chromium:chromium"

missing=""
for peer in $peers; do
    command -v "${peer%%:*}" >/dev/null || missing="$missing ${peer##*:}"
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "not installed, tests that need them will say so:$missing" >&2
    exit 0
fi
# Installing a daemon must not start it: the tests start their own, on their own ports.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
    trap 'rm -f "$policy"' EXIT
fi
echo "installing$missing"
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing >/dev/null
