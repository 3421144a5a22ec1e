"""Syslog messages as many vendors' devices write them, made up: for the demo, tests and benchmarks.

Every form carries what a receiver should read from it, so that the same table feeds a demo and
judges a parser. Forms, names and positions are facts about the products; all text is our own, and
all addresses are of documentation networks (RFC 5737, RFC 3849).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple


class Form(NamedTuple):
    """One message of one vendor, with blanks in braces that ``_BLANKS`` fills.

    Attributes:
        vendor: As the parser names it; empty where nothing in the message tells.
        event: The vendor's name of the event; empty where it has none.
        severity: What the message itself says, else what PRI says, by number.
        weight: How often it comes, against the others.
        text: The message.
    """

    vendor: str
    event: str
    severity: int
    weight: int
    text: str


# fmt: off
FORMS: Final = (
    # Cisco IOS and IOS XE: counters, origin id, clock marks, zones.
    Form("cisco", "LINK-3-UPDOWN", 3, 40,
         "<187>{n}: {host}: {n}: {ios}: %LINK-3-UPDOWN: Interface {port}, changed state to"
         " {updown}"),
    Form("cisco", "LINEPROTO-5-UPDOWN", 5, 40,
         "<189>{n}: {host}: {ios}: %LINEPROTO-5-UPDOWN: Line protocol on Interface {port},"
         " changed state to {updown}"),
    Form("cisco", "SYS-5-CONFIG_I", 5, 20,
         "<189>{n}: *{ios}: %SYS-5-CONFIG_I: Configured from console by {user} on vty0 ({ip})"),
    Form("cisco", "OSPF-5-ADJCHG", 5, 20,
         "<189>{n}: {ios} UTC: %OSPF-5-ADJCHG: Process 1, Nbr {ip} on {port} from LOADING to FULL,"
         " Loading Done"),
    Form("cisco", "BGP-5-ADJCHANGE", 5, 20,
         "<189>{n}: {ios} UTC: %BGP-5-ADJCHANGE: neighbor {ip} {UpDown}"),
    Form("cisco", "SEC_LOGIN-4-LOGIN_FAILED", 4, 15,
         "<188>{n}: .{ios}: %SEC_LOGIN-4-LOGIN_FAILED: Login failed [user: {user}] [Source: {ip}]"
         " [localport: 22] [Reason: Login Authentication Failed]"),
    Form("cisco", "ENVMON-2-TEMP", 2, 3,
         "<186>{n}: {ios}: %ENVMON-2-TEMP: inlet of slot {d} is at {small} Celsius"),
    # IOS XR, NX-OS, ASA, FTD, WLC, UCS, ISE, Meraki.
    Form("cisco", "ROUTING-BGP-5-ADJCHANGE", 5, 20,
         "<189>{n}: {host} RP/0/RSP0/CPU0:{ios} UTC: bgp[{pid}]: %ROUTING-BGP-5-ADJCHANGE :"
         " neighbor {ip} {UpDown} - peer closed the session (VRF: default) (AS: {as})"),
    Form("cisco", "PKT_INFRA-LINK-3-UPDOWN", 3, 20,
         "<187>{n}: {host} LC/0/0/CPU0:{ios} UTC: ifmgr[{pid}]: %PKT_INFRA-LINK-3-UPDOWN :"
         " Interface {port}, changed state to {UpDown}"),
    Form("cisco", "ETHPORT-5-IF_DOWN_LINK_FAILURE", 5, 20,
         "<189>{host}: {nxos} UTC: %ETHPORT-5-IF_DOWN_LINK_FAILURE: Interface {port} is down"
         " (Link failure)"),
    Form("cisco", "ETHPORT-5-IF_UP", 5, 20,
         "<189>: {nxos} CET: %ETHPORT-5-IF_UP: Interface {port} is up in mode trunk"),
    Form("cisco", "ASA-6-302013", 6, 80,
         "<166>{bsd} {host} : %ASA-6-302013: Built outbound TCP connection {n} for"
         " outside:{ip}/443 ({ip}/443) to inside:{ip}/{tcp} ({ip}/{tcp})"),
    Form("cisco", "ASA-4-106023", 4, 40,
         "<164>:{bsd} UTC: %ASA-4-106023: Deny tcp src outside:{ip}/{tcp} dst inside:{ip}/22"
         ' by access-group "outside_in" [0x0, 0x0]'),
    Form("cisco", "FTD-6-430003", 6, 30,
         "<166>{iso}Z {host} : %FTD-6-430003: AccessControlRuleAction: Allow, SrcIP: {ip},"
         " DstIP: {ip}, SrcPort: {tcp}, DstPort: 443, Protocol: tcp"),
    Form("cisco", "CAPWAP-3-ECHO_ERR", 3, 5,
         "<187>{host}: *spamApTask{d}: {ios}: %CAPWAP-3-ECHO_ERR: no echo from AP {mac}"),
    Form("cisco", "UCSM-6-AUDIT", 6, 3,
         "<190>: {nxos} CET: %UCSM-6-AUDIT: [session][internal][creation][{user}] Web A: remote"
         " user logged on"),
    Form("cisco", "5400", 5, 10,
         "<181>{bsd} {host} CISE_Failed_Attempts {n} 1 0 {ymd} {hms}.123 +00:00 {n} 5400 NOTICE"
         " Failed-Attempt: Authentication failed, ConfigVersionId=12, UserName={user},"
         " NAS-IP-Address={ip},"),
    Form("cisco", "vpn_connectivity_change", 6, 5,
         "<134>1 {epoch}.774247467 MX84 events type=vpn_connectivity_change vpn_type='site-to-site'"
         " peer_contact='{ip}:{tcp}' connectivity='false'"),
    Form("cisco", "flows", 6, 20,
         "<134>1 {epoch}.123456789 MX84 flows src={ip} dst={ip} mac={mac} protocol=tcp"
         " sport={tcp} dport=443 pattern: allow all"),
    # Arista.
    Form("arista", "BGP-5-ADJCHANGE", 5, 10,
         "<189>{bsd} {host} Bgp: %BGP-5-ADJCHANGE: peer {ip} (VRF default AS {as}) old state"
         " Established event Stop new state Idle"),
    Form("arista", "LINEPROTO-5-UPDOWN", 5, 15,
         "<189>{bsd} {host} Ebra: %LINEPROTO-5-UPDOWN: Line protocol on Interface Ethernet{d},"
         " changed state to {updown}"),
    # Juniper, plain and structured.
    Form("juniper", "SNMP_TRAP_LINK_DOWN", 4, 15,
         "<28>{bsd} {host} mib2d[{pid}]: SNMP_TRAP_LINK_DOWN: ifIndex {pid}, ifAdminStatus up(1),"
         " ifOperStatus down(2), ifName ge-0/0/{d}"),
    Form("juniper", "RPD_BGP_NEIGHBOR_STATE_CHANGED", 4, 15,
         "<28>{bsd} {host} rpd[{pid}]: RPD_BGP_NEIGHBOR_STATE_CHANGED: BGP peer {ip} (External AS"
         " {as}) changed state from Established to Idle (event HoldTime) (instance master)"),
    Form("juniper", "UI_COMMIT", 5, 5,
         "<189>1 {iso}Z {host} mgd {pid} UI_COMMIT [junos@2636.1.1.1.2.18 username=\"{user}\""
         " command=\"commit\" message=\"\"] User '{user}' requested 'commit' operation"),
    Form("juniper", "RT_FLOW_SESSION_CREATE", 6, 40,
         "<14>1 {iso}Z {host} RT_FLOW - RT_FLOW_SESSION_CREATE [junos@2636.1.1.1.2.40"
         ' source-address="{ip}" source-port="{tcp}" destination-address="{ip}"'
         ' destination-port="443" protocol-id="6" policy-name="out" session-id-32="{n}"]'),
    Form("juniper", "", 6, 10,
         "<30>{bsd} {host} /kernel: rate limit of the control plane reached on ge-0/0/{d}"),
    # Huawei and H3C.
    Form("huawei", "IFNET/4/IF_STATE", 4, 10,
         "<188>{huawei} {host} %%01IFNET/4/IF_STATE(l)[{pid}]:Interface {port} has turned into"
         " {UpDown} state."),
    Form("huawei", "SSH/5/SSH_USER_LOGIN", 5, 5,
         "<189>{myd} {hms}+08:00 {host} %%01SSH/5/SSH_USER_LOGIN(s)[{pid}]:CID=0x80932723;The SSH"
         " user succeeded in logging in. (UserName={user}, UserAddress={ip})"),
    Form("h3c", "IFNET/3/PHY_UPDOWN", 3, 10,
         "<187>{bsd} {year} {host} %%10IFNET/3/PHY_UPDOWN: Physical state on the interface {port}"
         " changed to {updown}."),
    Form("h3c", "SHELL/6/SHELL_CMD", 6, 5,
         "<190>{bsd} {year} {host} %%10SHELL/6/SHELL_CMD: -Line=vty0-IPAddr={ip}-User={user};"
         " Command is display version"),
    # Firewalls.
    Form("fortinet", "0000000013", 5, 80,
         '<189>date={ymd} time={hms} devname="{host}" devid="FGT60F0000000001" eventtime={epoch}'
         '000000000 tz="+0000" logid="0000000013" type="traffic" subtype="forward" level="notice"'
         ' vd="root" srcip={ip} srcport={tcp} dstip={ip} dstport=443 action="accept" policyid={d}'),
    Form("fortinet", "0100032002", 1, 5,
         '<185>date={ymd} time={hms} devname="{host}" devid="FGT60F0000000001" logid="0100032002"'
         ' type="event" subtype="system" level="alert" vd="root" user="{user}" srcip={ip}'
         ' action="login" status="failed" msg="{user} could not log in from https({ip})"'),
    Form("paloalto", "TRAFFIC/end", 6, 80,
         "<14>{bsd} {host} 1,{pan},007200001056,TRAFFIC,end,2305,{pan},{ip},{ip},{ip},{ip},out,,,"
         "ssl,vsys1,trust,untrust,ethernet1/1,ethernet1/2,fwd,{pan},{n},1,{tcp},443,0,0,0x0,tcp,"
         "allow,{n},{n},{n},{small},{pan},0,any,,{n}"),
    Form("paloalto", "SYSTEM/general", 6, 5,
         "<14>{bsd} {host} 1,{pan},007200001056,SYSTEM,general,0,{pan},,general,,0,0,general,"
         'informational,"User {user} logged in via Web, from {ip}",{n},0x0,0,0,0,0,,{host}'),
    Form("checkpoint", "Accept", 6, 20,
         '<134>1 {iso}Z {host} CheckPoint {pid} - [action:"Accept"; flags:"444676";'
         ' ifdir:"inbound"; ifname:"eth1"; loguid:"{n}"; origin:"{ip}"; src:"{ip}"; dst:"{ip}";'
         ' proto:"6"; product:"VPN-1 & FireWall-1"; service:"443"]'),
    Form("sonicwall", "537", 6, 20,
         '<134>id=firewall sn=0006B1000000 time="{ymd} {hms}" fw={ip} pri=6 c=1024 m=537'
         ' msg="Connection Closed" n={n} src={ip}:{tcp}:X0 dst={ip}:443:X1 proto=tcp/https'),
    Form("sophos", "010101600001", 6, 20,
         '<30>device_name="SFW" timestamp="{iso}+0000" device_model="XGS" device_serial_id="C1"'
         ' log_id="010101600001" log_type="Firewall" log_component="Firewall Rule"'
         ' log_subtype="Allowed" severity="Information" src_ip="{ip}" dst_ip="{ip}"'),
    Form("f5", "01070638", 5, 5,
         "<133>{bsd} {host} notice mcpd[{pid}]: 01070638:5: Pool /Common/web member"
         " /Common/{ip}:443 monitor status {updown}."),
    Form("netscaler", "CONN_TERMINATE", 6, 10,
         "<134> {dmy}:{hms} GMT {host} 0-PPE-0 : default TCP CONN_TERMINATE {n} 0 :  Source"
         " {ip}:{tcp} - Destination {ip}:443 - Total_bytes_send {n}"),
    # Access, wireless and the rest.
    Form("mikrotik", "", 6, 5, "<30>system,info,account user {user} logged in from {ip} via ssh"),
    Form("mikrotik", "", 6, 5, "<30>interface,info ether{d} link {updown} (speed 1G, full duplex)"),
    Form("aruba", "501065", 3, 5,
         "<139>{bsd} {year} {host} stm[{pid}]: <501065> <ERRS> |stm|  station {mac} left AP {ip}"),
    Form("procurve", "00076", 6, 5, "<14>{bsd} {ip} 00076 ports: port {d} is now on-line"),
    Form("unifi", "", 5, 5,
         '<13>{bsd} ("U7PG2,788a20aabbcc,v4.0.21.9965") hostapd: ath0: STA {mac} IEEE 802.11:'
         " associated"),
    Form("nec", "IP6.015", 4, 3, " <132>{bsd} {host}  IP6[015]: neighbor {mac} is reachable"),
    Form("opengear", "SIGNAL", 6, 3, "<30>{host} port0{d} {gear} SIGNAL: CTS => 0"),
    Form("sonic", "setHostTxReady", 5, 5,
         "<13>1 {iso}.931186+00:00 {host} orchagent - - -  :- setHostTxReady: port Ethernet{d}"),
    Form("vmware", "esx.problem.net.vmnic.linkstate.down", 6, 3,
         "<14>{iso}.123Z {host} vobd:  [netCorrelator] {n}us:"
         " [esx.problem.net.vmnic.linkstate.down] Physical NIC vmnic{d} linkstate is down"),
    Form("vmware", "", 6, 10,
         "<166>{iso}.123Z {host} Hostd: info hostd[{pid}] [Originator@6876 sub=Vimsvc] Task done"),
    Form("linux", "", 6, 40,
         "<38>{bsd} {host} sshd[{pid}]: Failed password for {user} from {ip} port {tcp} ssh2"),
    Form("linux", "", 6, 40, "<30>{bsd} {host} systemd[1]: Started a scheduled task."),
    Form("linux", "", 6, 20,
         "<86>1 {iso}.003Z {host} sudo {pid} - - {user} : TTY=pts/0 ; COMMAND=/usr/bin/id"),
    Form("", "", 5, 20, "<13>{bsd} {host} backup[{pid}]: finished in {small} seconds"),
    Form("", "", 5, 10,
         '<165>1 {iso}.003Z {host} evntslog - ID47 [origin@32473 ip="{ip}"] a service was stopped'),
)
# fmt: on

_START: Final = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)


class SyslogCorpus:
    """A reproducible stream of messages, as often of each form as its weight says."""

    def __init__(
        self,
        *,
        seed: int = 0,
        forms: tuple[Form, ...] = FORMS,
        now: Callable[[], datetime] = lambda: _START,
    ) -> None:
        self._random = random.Random(seed)
        self._forms = forms
        self._weights = [form.weight for form in forms]
        self._now = now

    def messages(self) -> Iterator[tuple[Form, bytes]]:
        """Give messages without end, each with the form that it was made from."""
        while True:
            (form,) = self._random.choices(self._forms, self._weights)
            yield form, self.fill(form)

    def fill(self, form: Form, **known: object) -> bytes:
        """Make one message of a form; what is *known* stands in its blanks."""
        return form.text.format_map(_Blanks(self._random, self._now(), known)).encode()


class _Blanks(Mapping[str, object]):
    """What stands in the blanks of one message; each blank is filled anew."""

    def __init__(self, chance: random.Random, when: datetime, known: Mapping[str, object]) -> None:
        self._chance = chance
        self._when = when
        self._known = known

    def __getitem__(self, name: str) -> object:
        if name in self._known:
            return self._known[name]
        if name in _TIMES:
            return _TIMES[name](self._when)
        return _BLANKS[name](self._chance)

    def __iter__(self) -> Iterator[str]:
        return iter((*_BLANKS, *_TIMES))

    def __len__(self) -> int:
        return len(_BLANKS) + len(_TIMES)


def _mac(chance: random.Random) -> str:
    return ":".join(f"{chance.randrange(256):02x}" for _ in range(6))


_BLANKS: Final[Mapping[str, Callable[[random.Random], object]]] = {
    "n": lambda chance: chance.randrange(1, 10**7),
    "d": lambda chance: chance.randrange(10),
    "pid": lambda chance: chance.randrange(2, 32768),
    "tcp": lambda chance: chance.randrange(1024, 65536),
    "as": lambda chance: chance.randrange(64512, 65535),
    "small": lambda chance: chance.randrange(20, 99),
    "ip": lambda chance: f"198.51.100.{chance.randrange(1, 255)}",
    "mac": _mac,
    "host": lambda chance: f"{chance.choice(('core', 'edge', 'fw'))}-{chance.randrange(1, 100)}",
    "port": lambda chance: f"GigabitEthernet{chance.randrange(3)}/0/{chance.randrange(48)}",
    "user": lambda chance: chance.choice(("alice", "bob", "carol", "admin")),
    "updown": lambda chance: chance.choice(("up", "down")),
    "UpDown": lambda chance: chance.choice(("Up", "Down")),
}
_TIMES: Final[Mapping[str, Callable[[datetime], str]]] = {
    "bsd": lambda when: f"{when:%b} {when.day:2} {when:%H:%M:%S}",
    "ios": lambda when: f"{when:%b} {when.day:2} {when:%H:%M:%S}.{when.microsecond // 1000:03}",
    "nxos": lambda when: f"{when:%Y %b} {when.day:2} {when:%H:%M:%S}",
    "iso": lambda when: f"{when:%Y-%m-%dT%H:%M:%S}",
    "ymd": lambda when: f"{when:%Y-%m-%d}",
    "hms": lambda when: f"{when:%H:%M:%S}",
    "dmy": lambda when: f"{when:%d/%m/%Y}",
    "myd": lambda when: f"{when:%b} {when.day:2} {when:%Y}",
    "huawei": lambda when: f"{when.year}-{when.month}-{when.day} {when:%H:%M:%S}.270.1",
    "pan": lambda when: f"{when:%Y/%m/%d %H:%M:%S}",
    "gear": lambda when: f"{when:%Y-%b}-{when.day:2} {when:%H:%M:%S}.{when.microsecond // 1000:03}",
    "year": lambda when: f"{when:%Y}",
    "epoch": lambda when: f"{when.timestamp():.0f}",
}
