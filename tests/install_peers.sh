#!/bin/sh
# Installs the foreign programs that the tests run against, where that can be done: on Debian and
# its kin, as root. Elsewhere the tests that need a missing one are skipped, and say which package
# has it; with CI=true they fail.
set -eu
export DEBIAN_FRONTEND=noninteractive PATH="$PATH:/usr/sbin:/sbin"

# program:package; where there is no command, a path with wildcards for what differs by machine
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
chromium:chromium
openssl:openssl
logger:bsdutils
rsyslogd:rsyslog
/usr/lib/*/rsyslog/lmnsd_gtls.so:rsyslog-gnutls
systemd-analyze:systemd"

missing=""
for peer in $peers; do
    program=${peer%%:*}
    case $program in
    # shellcheck disable=SC2086
    /*) ls $program >/dev/null 2>&1 ;;
    *) command -v "$program" >/dev/null ;;
    esac || missing="$missing ${peer##*:}"
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
