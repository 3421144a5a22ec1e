"""One probe of ``/probe``, from a name to what came of its pings: blackbox_exporter's, and ours.

Which address is taken, what the phases are and when a probe fails is the peer's. What differs: an
ICMP error after which no reply can come ends the wait at once, and the time of a reply is the
kernel's.

Source: blackbox_exporter's ICMP prober.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from exporters.config.icmp_module import DEFAULT_PAYLOAD_BYTES, IcmpOptions
from exporters.errors import FailureReason, SocketDenied, TargetError
from exporters.icmp.probe_log import ProbeLog
from exporters.icmp.probe_sockets import Answered, Outcome, Ping, ProbeSockets, SocketKey
from exporters.icmp.query import ProbeQuery
from exporters.sockets.host_resolution import HostResolver, IpAddress, socket_address
from exporters.sockets.icmp_values import SendError, SocketAddress
from exporters.sockets.target_guard import Network, check_target
from exporters.wire.icmp import IpVersion
from exporters.wire.icmp_errors import error_name

_CONGESTED_SECONDS: Final = 0.002


@dataclass(slots=True)
class ProbeResult:
    """What a probe came to; filled while it goes on, so that a failure has what was known."""

    ip: IpAddress | None = None
    lookup_seconds: float = 0.0
    setup_seconds: float = 0.0
    sent: int = 0
    rtts: list[float] = field(default_factory=list)
    hop_limit: int | None = None
    duration_seconds: float = 0.0

    @property
    def success(self) -> bool:
        """Whether a reply came."""
        return bool(self.rtts)


class Prober:
    """Probes, of which only so many are under way at the same time."""

    def __init__(
        self,
        sockets: ProbeSockets,
        resolver: HostResolver,
        *,
        allowed: Sequence[Network],
        most_at_once: int,
    ) -> None:
        self._sockets = sockets
        self._resolver = resolver
        self._allowed = allowed
        self._room = asyncio.Semaphore(most_at_once)

    async def probe(self, query: ProbeQuery, log: ProbeLog) -> ProbeResult:
        """Probe, within the time that the query allows.

        Raises:
            Forbidden: The target's address is not to be probed.
        """
        clock = asyncio.get_running_loop().time
        started_at = clock()
        deadline_at = started_at + query.timeout_seconds
        result = ProbeResult()
        log.info("beginning probe", timeout_seconds=query.timeout_seconds)
        try:
            await self._enter(deadline_at)
            try:
                await self._probe(query, deadline_at, result, log)
            finally:
                self._room.release()
        except (TargetError, SocketDenied) as error:
            log.warning("probe cannot go on", error=error)
        result.duration_seconds = clock() - started_at
        if result.success:
            log.info("probe succeeded", duration_seconds=result.duration_seconds)
        else:
            log.warning("probe failed", duration_seconds=result.duration_seconds)
        return result

    async def _enter(self, deadline_at: float) -> None:
        try:
            async with asyncio.timeout_at(deadline_at):
                await self._room.acquire()
        except TimeoutError as error:
            detail = "as many probes as --probe.concurrency allows are under way"
            raise TargetError(FailureReason.LIMIT, detail) from error

    async def _probe(
        self, query: ProbeQuery, deadline_at: float, result: ProbeResult, log: ProbeLog
    ) -> None:
        options = query.module.icmp
        clock = asyncio.get_running_loop().time
        started_at = clock()
        log.info("resolving target address", ip_protocol=options.preferred_ip_protocol)
        try:
            found = await self._resolver.addresses(query.target, deadline_at)
            result.ip = choose_address(found, options, query.target)
        finally:
            result.lookup_seconds = clock() - started_at
        log.info("resolved target address", ip=result.ip)
        check_target(result.ip, self._allowed)
        await self._ping(query, result.ip, deadline_at, result, log)

    async def _ping(
        self,
        query: ProbeQuery,
        ip: IpAddress,
        deadline_at: float,
        result: ProbeResult,
        log: ProbeLog,
    ) -> None:
        """Send the pings, one interval apart, and wait until each has an outcome."""
        clock = asyncio.get_running_loop().time
        setup_at = clock()
        destination = socket_address(ip)
        key = socket_key(ip, query.module.icmp)
        self._sockets.prepare(key)
        result.setup_seconds = clock() - setup_at
        pings: list[Ping] = []
        try:
            for number in range(query.count):
                send_at = setup_at + number * query.interval_seconds
                if send_at >= deadline_at:
                    break
                if number:
                    await asyncio.sleep(send_at - clock())
                try:
                    ping = await self._send(key, destination, query.module.icmp, deadline_at)
                except SendError as error:
                    log.warning("echo request not sent", error=error)
                    continue
                pings.append(ping)
                log.info("sent echo request", seq=ping.sequence, bytes=len(ping.payload))
            waiting = [ping.outcome for ping in pings if not ping.outcome.done()]
            if waiting:
                await asyncio.wait(waiting, timeout=max(deadline_at - clock(), 0))
        finally:
            for ping in pings:
                ping.give_up(lost=True)
        result.sent = len(pings)
        for ping in pings:
            _read_outcome(ping, result, log)

    async def _send(
        self,
        key: SocketKey,
        destination: SocketAddress,
        options: IcmpOptions,
        deadline_at: float,
    ) -> Ping:
        """Send, and again where this machine's buffers are full for the moment."""
        clock = asyncio.get_running_loop().time
        size_bytes = options.payload_size or DEFAULT_PAYLOAD_BYTES
        while True:
            try:
                return self._sockets.send(key, destination, size_bytes, options.ttl or None)
            except SendError as error:
                if not error.congested or clock() + _CONGESTED_SECONDS >= deadline_at:
                    raise
            await asyncio.sleep(_CONGESTED_SECONDS)


def choose_address(found: Sequence[IpAddress], options: IcmpOptions, target: str) -> IpAddress:
    """Choose among the addresses of a name.

    That is the first of the preferred protocol; where there is none and the module allows it, the
    last of the other.

    Raises:
        TargetError: There is none to take.
    """
    version = 4 if options.preferred_ip_protocol == "ip4" else 6
    for ip in found:
        if ip.version == version:
            return ip
    if found and options.ip_protocol_fallback:
        return found[-1]
    raise TargetError(FailureReason.DNS, f"{target} has no IPv{version} address")


def socket_key(ip: IpAddress, options: IcmpOptions) -> SocketKey:
    """Give the socket that a probe of *ip* goes through.

    Raises:
        TargetError: The module's source address is of the other protocol.
    """
    version: IpVersion = 4 if ip.version == 4 else 6
    source = options.source_ip_address
    if source is not None and source.version != version:
        detail = f"{source} cannot send to {ip}"
        raise TargetError(FailureReason.LOCAL, detail)
    return SocketKey(
        version, "" if source is None else str(source), options.dont_fragment and version == 4
    )


def _read_outcome(ping: Ping, result: ProbeResult, log: ProbeLog) -> None:
    if not ping.outcome.done():
        log.warning("no reply in time", seq=ping.sequence)
        return
    outcome: Outcome = ping.outcome.result()
    if isinstance(outcome, Answered):
        result.rtts.append(outcome.rtt_seconds)
        if outcome.hop_limit is not None:
            result.hop_limit = outcome.hop_limit
        log.info(
            "matching reply",
            seq=ping.sequence,
            rtt_seconds=outcome.rtt_seconds,
            hop_limit=outcome.hop_limit,
        )
        return
    report = outcome.report
    version: IpVersion = 6 if ":" in report.destination else 4
    log.warning(
        "ICMP error",
        seq=ping.sequence,
        error=error_name(version, report.type, report.code),
        type=report.type,
        code=report.code,
        reporter=report.reporter,
    )
