"""The project's modules as syntax trees: what each imports, and which room of the house it stands in (design, §3)."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ("api", "policies", "migrations")
ROOMS = {"store", "ledger", "identity", "disclosure", "protection", "web", "pages", "demo"}
# Beside the mathematics of protection: keys outside the database, and what lies encrypted under them.
SEALING = {"api.protection.keys", "api.protection.sealing"}
FACES = {"endpoints", "graphql"}
NAMED = {"tables", "schemas", "repository", "service"}


@dataclass(frozen=True)
class Module:
    """One file: dotted name, path below the project's root, syntax tree."""

    name: str
    path: str
    tree: ast.Module

    def imports(self) -> tuple[tuple[str, str, int], ...]:
        """Imported modules, the name taken from each (empty for the module itself), and the line."""
        return _imports(self)

    def loads(self) -> Iterator[str]:
        """The modules imported with this one: not those that its functions import when they are called."""
        yield from (target for target, _, _ in _imported(self, self.tree.body))

    def calls(self) -> Iterator[tuple[str, ast.Call]]:
        """Every call with the last name of what is called."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                called = node.func
                name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
                yield name, node

    def texts(self) -> Iterator[tuple[str, int]]:
        """Every string with its line, f-strings as one text with `{}` for what is put in; docstrings left out."""
        # What is no text of its own: docstrings, and the parts of an f-string.
        skipped = {
            id(node.body[0].value)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        skipped |= {id(part) for node in ast.walk(self.tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.JoinedStr):
                parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
                yield "".join(str(part) for part in parts), node.lineno
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
                yield node.value, node.lineno

    @property
    def room(self) -> str:
        """The kind of module, by which `test_imports.ALLOWED` says what it may import."""
        parts = self.name.split(".")
        if parts[0] != "api":
            return parts[0]
        if self.name in {"api", "api.errors", "api.private_file", "api.settings"}:
            return "ground"
        if len(parts) == 2 and self.path.endswith(f"{parts[1]}.py"):
            return "top"
        # The ledger has a face of its own: it shows hashes, which are no rows of a subject.
        if parts[1] in ROOMS and not (parts[1] == "ledger" and parts[-1] in FACES | {"schemas"}):
            return "sealing" if self.name in SEALING else parts[1]
        if parts[1] == "graphql" or parts[-1] in FACES:
            return "face"
        return parts[-1] if parts[-1] in NAMED else self._helper()

    def _helper(self) -> str:
        """A file with a name of its own: of the service where it works with rows, else knowledge of its subject."""
        reads = any(target.endswith((".repository", ".service")) for target, _, _ in self.imports())
        return "service" if reads else "part"


@cache
def modules() -> tuple[Module, ...]:
    """Every module of the project."""
    found = []
    for package in PROJECT:
        for path in sorted((ROOT / package).rglob("*.py")):
            inside = path.relative_to(ROOT)
            name = ".".join(inside.with_suffix("").parts).removesuffix(".__init__")
            found.append(Module(name, inside.as_posix(), ast.parse(path.read_text(encoding="utf-8"))))
    return tuple(found)


@cache
def names() -> frozenset[str]:
    """The dotted names of all modules."""
    return frozenset(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for package in PROJECT
        for path in (ROOT / package).rglob("*.py")
    )


@cache
def by_name() -> dict[str, Module]:
    """All modules by dotted name."""
    return {module.name: module for module in modules()}


@cache
def _imports(module: Module) -> tuple[tuple[str, str, int], ...]:
    return tuple(_imported(module, ast.walk(module.tree)))


def _imported(module: Module, nodes: Iterable[ast.AST]) -> Iterator[tuple[str, str, int]]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, "", node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module.path}:{node.lineno}: a relative import hides which room it enters"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                whole = inner in names()
                yield (inner if whole else str(node.module), "" if whole else alias.name, node.lineno)
