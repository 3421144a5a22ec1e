"""A network that delays and loses datagrams, in a process of its own.

    python -m benchmarks.network --paths=8 --delay=0.025 --loss=0.01 127.0.0.1:1161 ...

Prints ``AGENT ADDRESS`` for each path to each agent, and relays until SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
from collections.abc import Sequence

from exporters.demo.bad_network import BadNetwork, Impairment


def network_command(agents: Sequence[str], each_way: Impairment, paths: int) -> list[str]:
    """The arguments for one process with *paths* addresses for each of *agents*."""
    return [
        "-m",
        "benchmarks.network",
        f"--paths={paths}",
        f"--delay={each_way.delay_seconds}",
        f"--loss={each_way.drop_rate}",
        *agents,
    ]


async def _serve(agents: Sequence[str], each_way: Impairment, paths: int) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with contextlib.AsyncExitStack() as stack:
        for agent in agents:
            host, _, port = agent.rpartition(":")
            for seed in range(paths):
                network = BadNetwork(
                    (host, int(port)), requests=each_way, answers=each_way, seed=2 * seed
                )
                front_host, front_port = await stack.enter_async_context(network.serve())
                print(f"{agent} {front_host}:{front_port}", flush=True)
        print("ready", flush=True)
        await stopped.wait()


def main() -> None:
    """Relay until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser()
    parser.add_argument("agents", nargs="+", metavar="HOST:PORT")
    parser.add_argument("--paths", type=int, default=1, help="addresses for each agent")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds each way")
    parser.add_argument("--loss", type=float, default=0.0, help="share lost each way")
    arguments = parser.parse_args()
    each_way = Impairment(delay_seconds=arguments.delay, drop_rate=arguments.loss)
    asyncio.run(_serve(arguments.agents, each_way, arguments.paths))


if __name__ == "__main__":
    main()
