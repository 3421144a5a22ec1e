"""What the demo prints when it runs: every address to open, and a sample of what is collected."""

from __future__ import annotations

from exporters.demo.running_demo import RunningDemo

_SAMPLES = ("sysUpTime", "ifHCInOctets{", "ifOperStatus{", "snmp_scrape_duration_seconds{")


async def announcement(demo: RunningDemo) -> str:
    """Give the text."""
    lines = [
        "A pretend network of three devices, and the exporters that poll, ping and hear them.",
        *_of_polling(demo),
        *_of_pings(demo),
        *_of_traps(demo),
        *_of_messages(demo),
        *await _of_prometheus(demo),
        *await _of_samples(demo),
        *("", "Ctrl-C ends the demo.", ""),
    ]
    return "\n".join(lines)


def _of_polling(demo: RunningDemo) -> list[str]:
    first = next(iter(demo.targets))
    return [
        "",
        f"  SNMP exporter        http://{demo.snmp}/",
        f"    its own metrics    http://{demo.snmp}/metrics",
        f"    its configuration  http://{demo.snmp}/config",
        f"    its devices        http://{demo.snmp}/sd",
        *(f"    {name:18} {demo.snmp_url(name)}" for name in demo.targets),
        "",
        f"  RMON exporter        http://{demo.rmon}/",
        *(f"    {name:18} {demo.rmon_url(name)}" for name in demo.targets),
        f"    all of one device  {demo.rmon_url(first)}&groups=all",
    ]


def _of_pings(demo: RunningDemo) -> list[str]:
    if demo.icmp is None:
        return ["", f"  There is no ICMP exporter: {demo.no_icmp}"]
    return [
        "",
        f"  ICMP exporter        http://{demo.icmp}/",
        f"    what it measures   http://{demo.icmp}/metrics",
        f"    a probe            http://{demo.icmp}/probe?target=192.0.2.1&debug=true",
        "    192.0.2.2 loses every fourth ping, 192.0.2.3 is unreachable",
    ]


def _of_traps(demo: RunningDemo) -> list[str]:
    web = demo.trap.web
    broken, changing = demo.incidents.broken, demo.incidents.changing
    return [
        "",
        f"  Trap exporter        http://{web}/",
        f"    what devices tell  http://{web}/events",
        f"    what it measures   http://{web}/metrics",
        f"    try a trap         http://{web}/explain",
        f"    {broken.port.name} of {broken.device.name} is down, {changing.port.name} of "
        f"{changing.device.name} goes down and comes up;",
        "    it takes yours too:",
        f"    snmptrap -v 2c -c public 127.0.0.1:{demo.trap.port} '' 1.3.6.1.6.3.1.1.5.1",
    ]


def _of_messages(demo: RunningDemo) -> list[str]:
    web = demo.syslog.web
    return [
        "",
        f"  Syslog exporter      http://{web}/",
        f"    what devices log   http://{web}/events",
        f"    what it measures   http://{web}/metrics",
        f"    try a message      http://{web}/explain",
        "    the same links again, in the words of Cisco and Juniper; it takes yours too:",
        f"    logger -n 127.0.0.1 -d -P {demo.syslog.port} 'fan 2 has failed'",
    ]


async def _of_prometheus(demo: RunningDemo) -> list[str]:
    if demo.prometheus is None:
        return ["", "  Prometheus is not installed; install it to see it scrape the exporters."]
    consoles = f"http://{demo.prometheus}/consoles"
    changing = demo.incidents.changing
    link = f"device={changing.device.name}&interface={changing.port.name}"
    pages = f"http://{demo.prometheus}"
    if (await demo.fetch(f"{pages}/targets"))[0] == 404:
        pages += "/classic"  # Debian builds Prometheus without its new pages
    query = "rate(ifHCInOctets%5B1m%5D)*8"
    return [
        "",
        f"  Prometheus           {pages}/targets",
        f"    traffic            {pages}/graph?g0.expr={query}&g0.tab=0",
        f"    alerts             {pages}/alerts",
        f"    all devices        {consoles}/index.html",
        f"    one device         {consoles}/device.html?device={changing.device.name}",
        f"    one interface      {consoles}/interface.html?{link}",
    ]


async def _of_samples(demo: RunningDemo) -> list[str]:
    first = next(iter(demo.targets))
    status, text = await demo.fetch(demo.snmp_url(first))
    samples = [line for line in text.splitlines() if line and not line.startswith("#")]
    found = (next((line for line in samples if line.startswith(name)), "") for name in _SAMPLES)
    return [
        "",
        f"{first} answers with {len(samples)} samples (HTTP {status}), such as",
        "",
        *(f"  {line}" for line in found if line),
    ]
