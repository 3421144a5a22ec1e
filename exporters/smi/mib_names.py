"""Whose a name is: the names of MIB modules, looked up as the modules that use them mean them.

MIB files are rarely published with all that they import, and often import a name from a module that
does not have it. So a name is looked for, in this order: in the module itself; where IMPORTS says;
among the roots that everybody knows; in whatever else the module imports; and at last anywhere, if
there can be no doubt: all who define it agree, and it is a standard's, of the same vendor, the root
of a vendor, or several modules have it. Whoever is found out of order is a warning.

Modules may import each other in a circle; only a circle of definitions has no answer.

Sources: RFC 2578 section 3.2 (IMPORTS), RFC 3584 section 3.1 (the OID of a TRAP-TYPE).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from exporters.smi.display_hint import parse_hint
from exporters.smi.mib_declarations import (
    Clause,
    Declaration,
    Form,
    ParsedModule,
    SubId,
    WrittenOid,
    WrittenSyntax,
)
from exporters.smi.mib_findings import Finding, Severity
from exporters.smi.mib_objects import BASE_TYPES, Convention, Kind, LinkedModule, MibObject, Syntax
from exporters.smi.mib_roots import (
    FAMILIAR,
    REGISTERED,
    WELL_KNOWN,
    Arcs,
    is_standard,
    is_vendor_root,
)
from exporters.wire.ber import decode_oid

_INTEGER_HINT = re.compile(r"[dxob]|d-[0-9]+")
_SNMP = (1, 3, 6, 1, 2, 1, 11)
_SNMP_TRAPS = (1, 3, 6, 1, 6, 3, 1, 1, 5)
_DEEPEST = 125
"""No OID has more than 128 numbers, so that a longer chain of names leads nowhere."""

Foreign = Callable[[str], LinkedModule | None]
"""Gives a module of the dictionary by its name."""

Elsewhere = Callable[[str], Iterable[str]]
"""Gives the modules of the dictionary that define a name."""


def nowhere(_: str) -> Iterable[str]:
    """Say that no other module defines a name."""
    return ()


def no_module(_: str) -> LinkedModule | None:
    """Say that there is no other module."""
    return None


@dataclass(slots=True)
class _Scope:
    """The names of one module, whether it is linked here or was before."""

    places: dict[str, Declaration] = field(default_factory=dict)
    types: dict[str, Declaration] = field(default_factory=dict)
    imports: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    oids: dict[str, Arcs] = field(default_factory=dict)
    conventions: dict[str, Convention] = field(default_factory=dict)
    objects: dict[str, MibObject] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    """The modules that it imports from, each once."""


class Names:
    """The names of modules that were parsed together, and of a dictionary of others behind them."""

    def __init__(
        self,
        modules: Iterable[ParsedModule],
        foreign: Foreign = no_module,
        elsewhere: Elsewhere = nowhere,
    ) -> None:
        self._foreign = foreign
        self._elsewhere = elsewhere
        self._scopes: dict[str, _Scope | None] = {}
        self._resolving: set[tuple[str, str]] = set()
        self._warnings: dict[str, dict[str, Finding]] = defaultdict(dict)
        self._owners: dict[str, list[str]] = defaultdict(list)
        self._type_owners: dict[str, list[str]] = defaultdict(list)
        for module in modules:
            scope = _parsed_scope(module)
            self._scopes[module.name] = scope
            for name in scope.places:
                self._owners[name].append(module.name)
            for name in scope.types:
                self._type_owners[name].append(module.name)

    def warnings(self, module: str) -> Iterable[Finding]:
        """What was tolerated while names of *module* were looked for."""
        return self._warnings[module].values()

    def _scope(self, name: str) -> _Scope | None:
        if name not in self._scopes:
            linked = self._foreign(name)
            self._scopes[name] = None if linked is None else _linked_scope(linked)
        return self._scopes[name]

    # OIDs

    def oid_of(self, module: str, name: str, line: int = 0) -> Arcs | str:
        """The OID of *name* as *module* understands it, or why it has none."""
        owner = self._owner(module, name, line)
        if owner is None:
            return self._why_unknown(module, name)
        if not owner:
            return WELL_KNOWN.get(name) or self._registered(module, name)
        return self._defined_oid(owner, name)

    def _registered(self, module: str, name: str) -> Arcs:
        scope = self._scopes[module]
        origin, _ = scope.imports[name] if scope else ("", 0)
        return REGISTERED[origin, name]

    def _defined_oid(self, owner: str, name: str) -> Arcs | str:
        scope = self._scopes[owner]
        if scope is None:
            return f"{owner} is not there"
        if name in scope.oids:
            return scope.oids[name]
        key = (owner, name)
        if key in self._resolving:
            return f"{name} is defined by itself"
        if len(self._resolving) > _DEEPEST:
            return f"{name} stands on more names than an OID has numbers"
        self._resolving.add(key)
        try:
            declaration = scope.places[name]
            oid = self.written_oid(owner, declaration)
        finally:
            self._resolving.discard(key)
        if not isinstance(oid, str):
            scope.oids[name] = oid
        return oid

    def written_oid(self, module: str, declaration: Declaration) -> Arcs | str:
        """The OID that *declaration* of *module* writes, or why it has none."""
        if declaration.clause is Clause.TRAP:
            return self._trap_oid(module, declaration)
        return self._resolve(module, declaration.oid, declaration.line)

    def _trap_oid(self, module: str, declaration: Declaration) -> Arcs | str:
        *enterprise, number = declaration.oid
        oid = self._resolve(module, tuple(enterprise), declaration.line)
        if isinstance(oid, str) or not isinstance(number, int):
            return oid
        # RFC 3584 s3.1 (2): generic traps are those of "snmp", others are enterprise.0.number.
        return (*_SNMP_TRAPS, number + 1) if oid == _SNMP else (*oid, 0, number)

    def _resolve(self, module: str, written: WrittenOid, line: int) -> Arcs | str:
        arcs: Arcs = ()
        for part in written:
            if isinstance(part, int):
                arcs = (*arcs, part)
            elif isinstance(part, tuple) and (arcs or part[0] in WELL_KNOWN):
                arcs = (*arcs, part[1])
            else:
                found = self._resolve_name(module, part, arcs, line)
                if isinstance(found, str):
                    return found
                arcs = found
        if not arcs or max(arcs) > 0xFFFFFFFF:
            return "a number of its OID does not fit 32 bits"
        return arcs

    def _resolve_name(self, module: str, part: SubId, arcs: Arcs, line: int) -> Arcs | str:
        name = part[0] if isinstance(part, tuple) else str(part)
        found = self.oid_of(module, name, line)
        # "{ iso org dod internet }": names after the first must continue what stands before.
        if not isinstance(found, str) and found[: len(arcs)] != arcs:
            return f"{name} does not lie below what stands before it"
        return found

    # Owners of names

    def _owner(self, module: str, name: str, line: int = 0) -> str | None:
        """The module whose *name* is meant in *module*; empty for a root that none needs to say."""
        scope = self._scopes[module]
        if scope is None or name in scope.places or name in scope.oids:
            return module
        origin, at = scope.imports.get(name, ("", 0))
        if origin and (found := self._exporter(origin, name, set())):
            return found
        if name in WELL_KNOWN:
            return ""
        if (origin, name) in REGISTERED:
            oid = ".".join(map(str, REGISTERED[origin, name]))
            self._warn(module, name, at or line, f"is not in {origin}; it is registered as {oid}")
            return ""
        others = (source for source in (*scope.sources, FAMILIAR.get(name, "")) if source != origin)
        found = next((end for end in (self._exporter(o, name, set()) for o in others) if end), None)
        found = found or self._elsewhere_owner(module, name)
        if found:
            self._warn_source(module, name, at or line, origin, found)
        return found

    def _elsewhere_owner(self, module: str, name: str) -> str | None:
        """Who defines *name*, where nothing says who: only if there can be no doubt about it."""
        owners = dict.fromkeys((*self._owners.get(name, ()), *self._elsewhere(name)))
        oids = {owner: self._oid_elsewhere(owner, name) for owner in owners}
        known = {owner: oid for owner, oid in oids.items() if not isinstance(oid, str)}
        standard = {owner: oid for owner, oid in known.items() if is_standard(oid)}
        known = standard or known
        if len(set(known.values())) != 1:
            return None
        owner, oid = next(iter(known.items()))
        related = _vendor(owner) == _vendor(module)
        sure = standard or related or len(known) > 1 or is_vendor_root(oid)
        return owner if sure else None

    def _exporter(self, module: str, name: str, seen: set[str]) -> str | None:
        """*module* if it defines *name*, or the module from which it has it."""
        seen.add(module)
        scope = self._scope(module)
        if scope is None:
            return None
        if name in scope.places or name in scope.oids:
            return module
        origin, _ = scope.imports.get(name, ("", 0))
        return self._exporter(origin, name, seen) if origin and origin not in seen else None

    def _oid_elsewhere(self, owner: str, name: str) -> Arcs | str:
        scope = self._scope(owner)
        if scope is None or not (name in scope.places or name in scope.oids):
            return "unknown"
        return self._defined_oid(owner, name)

    def _warn_source(self, module: str, name: str, line: int, origin: str, found: str) -> None:
        said = f"is not in {origin}" if origin else "is not imported"
        if origin and self._scope(origin) is None:
            said = f"is imported from {origin}, which is not there"
        self._warn(module, name, line, f"{said}; taken from {found}")

    def _warn(self, module: str, name: str, line: int, text: str) -> None:
        finding = Finding(line, Severity.WARNING, f"{name} {text}")
        self._warnings[module].setdefault(name, finding)

    def _why_unknown(self, module: str, name: str) -> str:
        scope = self._scopes[module]
        origin, _ = scope.imports.get(name, ("", 0)) if scope else ("", 0)
        if not origin:
            return f"{name} is neither defined nor imported"
        if self._scope(origin) is None:
            return f"{name} is imported from {origin}, which is not there"
        return f"{name} is imported from {origin}, which does not define it"

    # Types

    def convention_of(self, module: str, name: str, line: int) -> Convention | str:
        """The convention *name* as *module* understands it, or why there is none."""
        owner = self._type_owner(module, name, line)
        if owner is None:
            return self._why_unknown(module, name)
        return self._defined_convention(owner, name)

    def _defined_convention(self, owner: str, name: str) -> Convention | str:
        scope = self._scopes[owner]
        if scope is None:
            return f"{owner} is not there"
        if name in scope.conventions:
            return scope.conventions[name]
        key = (owner, f"type {name}")
        if key in self._resolving:
            return f"{name} is defined by itself"
        if len(self._resolving) > _DEEPEST:
            return f"{name} stands on more names than an OID has numbers"
        self._resolving.add(key)
        try:
            declaration = scope.types[name]
            if declaration.syntax is None:
                syntax = Syntax("NetworkAddress")  # the only CHOICE that a value can have
            else:
                syntax = self.syntax_of(owner, declaration.syntax, declaration.line)
        finally:
            self._resolving.discard(key)
        convention = Convention(owner, name, syntax, self._hint(owner, declaration))
        scope.conventions[name] = convention
        return convention

    def _hint(self, module: str, declaration: Declaration) -> str:
        """The DISPLAY-HINT of *declaration*, if it is one."""
        hint = declaration.display_hint
        if not hint or _INTEGER_HINT.fullmatch(hint):
            return hint
        try:
            parse_hint(hint)
        except ValueError:
            problem = "has a DISPLAY-HINT that is none"
            self._warn(module, declaration.name, declaration.line, problem)
            return ""
        return hint

    def syntax_of(self, module: str, written: WrittenSyntax, line: int) -> Syntax:
        """The syntax that is *written* in *module*; without convention where it is unknown."""
        labels = tuple(sorted((number, label) for label, number in written.labels))
        name = written.type_name
        convention = None
        if name not in BASE_TYPES or self._redefines(module, name):
            found = self.convention_of(module, name, line)
            convention = None if isinstance(found, str) else found
        return Syntax(name, convention, labels, written.ranges)

    def _redefines(self, module: str, name: str) -> bool:
        """Whether a base type of one SMI is a convention of the module's own, as NsapAddress."""
        scope = self._scopes[module]
        return name in ("NsapAddress", "UInteger32") and scope is not None and name in scope.types

    def _type_owner(self, module: str, name: str, line: int) -> str | None:
        scope = self._scopes[module]
        if scope is None or name in scope.types or name in scope.conventions:
            return module
        origin, at = scope.imports.get(name, ("", 0))
        if origin and (found := self._type_exporter(origin, name, set())):
            return found
        others = [source for source in (*scope.sources, FAMILIAR.get(name, "")) if source != origin]
        others += [
            owner for owner in self._type_owners.get(name, ()) if _vendor(owner) == _vendor(module)
        ]
        for other in others:
            if found := self._type_exporter(other, name, set()):
                self._warn_source(module, name, at or line, origin, found)
                return found
        return None

    def _type_exporter(self, module: str, name: str, seen: set[str]) -> str | None:
        seen.add(module)
        scope = self._scope(module)
        if scope is None:
            return None
        if name in scope.types or name in scope.conventions:
            return module
        origin, _ = scope.imports.get(name, ("", 0))
        return self._type_exporter(origin, name, seen) if origin and origin not in seen else None

    def is_sequence(self, module: str, name: str) -> bool:
        """Whether *name* is, in *module* or where that imports it from, the type of a row."""
        owner = self._type_exporter(module, name, set())
        scope = self._scopes[owner] if owner else None
        declaration = scope.types.get(name) if scope else None
        return (
            declaration is not None
            and declaration.syntax is not None
            and declaration.syntax.form is Form.SEQUENCE
        )

    def qualify(self, module: str, name: str, line: int) -> str:
        """``MIB::name`` of an object that *module* names, or empty where nothing defines it."""
        owner = self._owner(module, name, line)
        return f"{owner}::{name}" if owner else ""

    def object_syntax(self, module: str, name: str) -> Syntax | None:
        """The syntax of the object *name*, which stands where a type should."""
        owner = self._owner(module, name)
        scope = self._scopes[owner] if owner else None
        if scope is None:
            return None
        if name in scope.objects:
            return scope.objects[name].syntax
        declaration = scope.places.get(name)
        if declaration is None or declaration.syntax is None or not owner:
            return None
        if declaration.syntax.type_name == name:
            return None
        return self.syntax_of(owner, declaration.syntax, declaration.line)

    def is_row(self, module: str, parent: SubId) -> bool:
        """Whether the object *parent* is a row, as *module* understands its name."""
        if not isinstance(parent, str):
            return False
        owner = self._owner(module, parent)
        scope = self._scopes[owner] if owner else None
        if scope is None or not owner:
            return False
        if parent in scope.objects:
            return scope.objects[parent].kind is Kind.ROW
        declaration = scope.places.get(parent)
        return declaration is not None and self.is_row_declaration(owner, declaration)

    def is_row_declaration(self, module: str, declaration: Declaration) -> bool:
        """Whether *declaration* of *module* is a row: by its type, or by its INDEX."""
        syntax = declaration.syntax
        if declaration.clause is not Clause.OBJECT or syntax is None or syntax.form is Form.ROWS:
            return False
        if syntax.form is Form.SEQUENCE or self.is_sequence(module, syntax.type_name):
            return True
        # An INDEX makes a row of a type that nobody knows, and not of what has a value.
        has_index = bool(declaration.indexes or declaration.augments)
        return has_index and not self.syntax_of(module, syntax, declaration.line).base


def _vendor(module: str) -> str:
    """The first word of a module's name, which modules of one source share."""
    return module.partition("-")[0].lower()


def _parsed_scope(module: ParsedModule) -> _Scope:
    scope = _Scope(imports=module.imports)
    scope.sources = tuple(dict.fromkeys(origin for origin, _ in module.imports.values()))
    for declaration in module.declarations:
        if declaration.clause is Clause.TYPE:
            scope.types.setdefault(declaration.name, declaration)
        else:
            scope.places.setdefault(declaration.name, declaration)
    return scope


def _linked_scope(module: LinkedModule) -> _Scope:
    scope = _Scope()
    for item in module.objects:
        scope.oids.setdefault(item.name, decode_oid(item.oid))
        scope.objects.setdefault(item.name, item)
    for convention in module.conventions:
        if convention.module == module.name:
            scope.conventions[convention.name] = convention
    return scope
