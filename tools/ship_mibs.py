"""Compile the MIB modules that ship with netexporters, from a directory that holds all of them.

    python tools/ship_mibs.py DIRECTORY [--output modules/mibs]

All modules of the directory take part in linking; those of standards and of the vendors below are
kept, in a folder each. Only facts are written: names, OIDs, types, numbers. Whatever was in the
output before is replaced, so that git shows what became different.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

from exporters.mibs.compiling import Compilation, compile_sources
from exporters.mibs.sources import SourceReader, find_sources
from exporters.mibs.states import replace_directory
from exporters.smi.dictionary import Dictionary
from exporters.smi.mib_objects import MibObject
from exporters.smi.mib_roots import is_standard
from exporters.smi.mib_store import MemoryFiles, MibStore
from exporters.wire.ber import decode_oid

VENDORS: dict[str, tuple[int, ...]] = {
    "apc": (318,),
    "arista": (30065,),
    "aruba": (14823,),
    "brocade": (1588, 1991),
    "checkpoint": (2620,),
    "cisco": (9, 14179),
    "citrix": (5951,),
    "dell": (674, 6027),
    "dlink": (171,),
    "eaton": (534, 705, 17373, 20677),
    "extreme": (1916, 2272, 5624),
    "f5": (3375,),
    "fortinet": (12356,),
    "h3c": (25506,),
    "hp": (11, 232),
    "huawei": (2011,),
    "infoblox": (7779,),
    "juniper": (2636, 3224),
    "keepalived": (9586,),
    "kemp": (12196,),
    "mikrotik": (14988,),
    "netapp": (789,),
    "netgear": (4526,),
    "netsnmp": (2021, 8072),
    "nokia": (94, 6486, 6527),
    "opengear": (25049,),
    "paloalto": (25461,),
    "powercom": (935,),
    "raritan": (13742,),
    "riverbed": (17163,),
    "ruckus": (25053,),
    "servertech": (1718,),
    "sonicwall": (8714, 8741),
    "supermicro": (10876,),
    "synology": (6574,),
    "tplink": (11863,),
    "tripplite": (850,),
    "ubiquiti": (4413, 10002, 41112),
    "vertiv": (476, 21239),
    "vmware": (6876,),
}
"""Folder to the enterprise numbers whose modules go there."""

ONLY = {"dlink": ("AGENT-GENERAL-MIB", "DLINKSW-")}
"""Of a vendor with very many modules, those that start so."""

VENDOR_WORDS = {"CISCOTRAP": "cisco", "TIMETRA": "nokia"}
"""First words of modules that define what a standard has, and are not the standard's."""

LEFT_OUT = frozenset(
    (
        # Copies and early drafts of modules that are there under their own names.
        "CHECKPOINT-MIB-2", "ETHERLIKE-MIB", "IANA-GMPLS-MIB", "IANA-ITU-ALARM-TC",
        "RADLAN-SNMPv2", "RADLAN-TCPSESSIONS", "RFC1065-SMI", "SNMPv2-SMI-v1", "SNMPv2-TC-v1",
        # InfiniBand drafts, which were never published.
        "IB-CA-MIB", "IB-DEV-MIB", "IB-IF-MIB", "IB-PM-MIB", "IB-SM-MIB", "IB-SMA-MIB",
        "IB-TC-MIB",
    )
)  # fmt: skip

_ENTERPRISES = (1, 3, 6, 1, 4, 1)
_EXPERIMENTAL = (1, 3, 6, 1, 3)


def main() -> int:
    """Compile, write, and tell what was written."""
    parser = argparse.ArgumentParser(description="Compile the MIB modules that ship.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--output", type=Path, default=Path("modules/mibs"))
    parser.add_argument("--cache", type=Path, help="where to remember what was read")
    arguments = parser.parse_args()
    sources = find_sources([arguments.directory])
    reader = SourceReader(arguments.cache)
    everything = compile_sources(sources, reader, Dictionary(), with_help=False)
    folders = choose(everything)
    chosen = compile_sources(
        sources,
        reader,
        Dictionary(),
        folder=lambda name: folders[name],
        keep=lambda name: name in folders,
        with_help=False,
    )
    replace_directory(arguments.output, chosen.files)
    report(chosen, folders)
    return 0


def choose(everything: Compilation) -> dict[str, str]:
    """Give the folder of each module that ships."""
    store = MibStore(MemoryFiles(everything.files))
    folders: dict[str, str] = {}
    empty: list[str] = []
    for name in store.modules:
        module = store.linked(name)
        if name in LEFT_OUT or module is None:
            continue
        if not module.objects:
            empty.append(name)
        elif folder := _folder(name, module.objects):
            folders[name] = folder
    # Modules of types alone go where the other modules of their first word are.
    words: dict[str, Counter[str]] = {}
    for name, folder in folders.items():
        words.setdefault(name.partition("-")[0], Counter())[folder] += 1
    for name in empty:
        if name.startswith(("RFC", "SNMP")):
            folders[name] = "ietf"
        elif counts := words.get(name.partition("-")[0]):
            folders[name] = counts.most_common(1)[0][0]
    return folders


def _folder(name: str, objects: tuple[MibObject, ...]) -> str | None:
    places = [decode_oid(item.oid) for item in objects]
    enterprises = Counter(arcs[6] for arcs in places if len(arcs) > 6 and arcs[:6] == _ENTERPRISES)
    if enterprises and enterprises.total() * 2 > len(places):
        number = enterprises.most_common(1)[0][0]
        folder = next((key for key, numbers in VENDORS.items() if number in numbers), None)
        return folder if folder is None or name.startswith(ONLY.get(folder, "")) else None
    if name.startswith("IANA"):
        return "iana"
    if name.startswith(("IEEE", "LLDP-")):
        return "ieee"
    if VENDOR_WORDS.get(name.partition("-")[0]):
        return VENDOR_WORDS[name.partition("-")[0]]
    standard = sum(
        is_standard(arcs) or arcs[:5] == _EXPERIMENTAL or len(arcs) < 7 for arcs in places
    )
    return "ietf" if standard * 2 > len(places) else None


def report(chosen: Compilation, folders: dict[str, str]) -> None:
    """Tell what ships, and which names of other modules lead nowhere."""
    sizes: Counter[str] = Counter()
    for file, content in chosen.files.items():
        sizes[file.partition("/")[0]] += len(content)
    numbers = Counter(folders.values())
    for folder, size in sorted(sizes.items()):
        sys.stdout.write(f"{folder:12} {numbers[folder]:5} modules {size // 1024:6} KiB\n")
    total = sum(sizes.values())
    sys.stdout.write(f"{'all':12} {len(folders):5} modules {total // 1024:6} KiB\n")
    dictionary = Dictionary((MibStore(MemoryFiles(chosen.files)),))
    missing: Counter[str] = Counter()
    for name in folders:
        module = dictionary.module(name)
        for item in module.objects if module else ():
            parts = [part.qualified_name for part in item.indexes if part.module]
            for other in (*parts, *filter(None, (item.augments,)), *item.objects):
                if "::" in other and dictionary.by_qualified(other) is None:
                    missing[other.partition("::")[0]] += 1
    for name, count in missing.most_common():
        sys.stdout.write(f"{count} names of {name} are used, which does not ship\n")


if __name__ == "__main__":
    sys.exit(main())
