"""Imports run one way: faces -> service -> repository -> disclosure -> policies | ledger | store (design, §3)."""

import ast
import sys
from functools import cache

import pytest

from tests.architecture.source_tree import by_name as module_by_name
from tests.architecture.source_tree import modules

POLICIES = [module for module in modules() if module.room == "policies"]
SERVICE = [module for module in modules() if module.name.split(".")[0] in {"api", "policies"}]

# What each room may import of the project. `top` (app, cli, running, serving, world, importing, contract, health) and
# the demo wire the house together and may import everything; nothing else may import them.
ALLOWED = {
    "ground": {"ground"},
    "policies": {"policies"},
    "store": {"ground", "store"},
    "ledger": {"ground", "store", "ledger"},
    "identity": {"ground", "identity"},
    "protection": {"protection"},
    "sealing": {"ground", "sealing"},
    "disclosure": {"ground", "policies", "store", "ledger", "identity", "disclosure"},
    "web": {"ground", "policies", "store", "ledger", "identity", "disclosure", "sealing", "web"},
    "tables": {"store"},
    "part": {"ground", "policies", "protection", "schemas", "part"},
    "schemas": {"ground", "policies", "web", "schemas", "part"},
    "repository": {"ground", "store", "disclosure", "protection", "tables", "repository", "part"},
    "service": {
        "ground",
        "policies",
        "protection",
        "sealing",
        "disclosure",
        "repository",
        "schemas",
        "service",
        "part",
    },
    "face": {"ground", "policies", "disclosure", "web", "repository", "schemas", "service", "part", "face", "pages"},
    "pages": {"ground", "policies", "pages"},
}
WIRING = {"top", "demo", "migrations"}

# Where a room is entered against the rule, and why that is right.
EXCEPTIONS = {
    ("api.audit.repository", "api.ledger.tables"): "what the gate shows of the ledger are its rows",
    (
        "api.audit.repository",
        "api.ledger.leaves",
    ): "a day is reckoned in microseconds, and a leaf made, as it is hashed",
    ("api.audit.proof", "api.ledger.leaves"): "a proof is put together by the code that it is checked with",
    ("api.audit.proof", "api.ledger.proving"): "as above",
    ("api.web.context", "api.agencies.service"): "every request is authenticated against the register of agencies",
    ("api.agencies.service", "api.store.database"): "the register tells who asks, so it is read before any decision",
    ("api.incidents.feed_csv", "api.web.faults"): "the feed is read as it streams in, so it makes the frame's faults",
    ("api.incidents.feed_json", "api.web.faults"): "as above",
    ("api.incidents.feed_json", "api.web.body"): "the feed's rows are JSON under the frame's strict rules",
    ("api.incidents.rows", "api.web.faults"): "a row is refused in the words of the frame",
    ("api.ledger.endpoints", "api.ledger.leaves"): "the ledger's own face shows its leaves without their content",
    ("api.ledger.endpoints", "api.ledger.checkpoint"): "as above: a note and its signatures",
}


def _edges():
    for module in SERVICE:
        for target, _, line in module.imports():
            if target.split(".")[0] in {"api", "policies", "migrations"}:
                yield module, target, line


@cache
def _against_the_rule():
    return tuple(_found_against_the_rule())


def _found_against_the_rule():
    for module, target, line in _edges():
        imported = module_by_name().get(target)
        assert imported is not None, f"{module.path}:{line} imports {target}, which does not exist"
        if module.room not in WIRING and imported.room not in ALLOWED[module.room]:
            yield module, imported, line


def test_imports_run_one_way():
    broken = [
        f"{module.path}:{line}: a {module.room} imports {imported.name}, a {imported.room}"
        for module, imported, line in _against_the_rule()
        if (module.name, imported.name) not in EXCEPTIONS
    ]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("edge", EXCEPTIONS, ids=" -> ".join)
def test_exception_is_still_needed(edge: tuple[str, str]):
    assert edge in {(module.name, imported.name) for module, imported, _ in _against_the_rule()}, "take it off the list"


def _loaded_with(name, found):
    if name not in found:
        found.add(name)
        for target in module_by_name()[name].loads():
            if target in module_by_name():
                _loaded_with(target, found)
    return found


@pytest.mark.parametrize("name", ["api.cli", "api.running", "api.world", "api.keeping", "api.importing"])
def test_commands_that_need_only_the_database_do_not_load_the_service(name):
    loaded = _loaded_with(name, set())
    assert "api.app" not in loaded
    assert not {one for one in loaded if one.endswith((".endpoints", ".graphql"))}


def test_every_room_of_the_house_is_populated():
    rooms = {module.room for module in modules()}
    assert rooms == set(ALLOWED) | WIRING


# What a pure law needs of the standard library; the catalogue alone reads files.
PURE = {
    "collections.abc",
    "dataclasses",
    "datetime",
    "enum",
    "functools",
    "hashlib",
    "itertools",
    "math",
    "types",
    "typing",
}
READS_FILES = {"policies.catalogue": {"pathlib"}, "policies.lawfile": {"pathlib", "tomllib"}}


@pytest.mark.parametrize("module", POLICIES, ids=lambda module: module.name)
def test_policies_import_neither_the_service_nor_anything_that_reaches_out(module):
    for target, _, line in module.imports():
        allowed = target.split(".")[0] == "policies" or target in PURE | READS_FILES.get(module.name, set())
        assert allowed, f"{module.path}:{line} imports {target}"
    for name, call in module.calls():
        assert name not in {"open", "print", "input", "exec", "eval", "__import__"}, f"{module.path}:{call.lineno}"


def test_the_plain_reading_is_for_tests_alone_and_shares_nothing_but_the_values():
    for module in modules():
        for target, _, line in module.imports():
            assert target != "policies.reference", f"{module.path}:{line} imports the reading that tests compare with"
            if module.name == "policies.reference" and target.startswith("policies"):
                assert target == "policies.model", f"{module.path}:{line} imports {target}, which it is to check"
    names = {name for name, _ in _names(module_by_name()["policies.reference"].tree)}
    assert not names & {"in_force", "equates", "secrecy_of", "fields_of"}, "what the values reckon is reckoned again"


def _names(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute):
            yield node.attr, node.lineno
        elif isinstance(node, ast.alias):
            yield node.name.rpartition(".")[2], node.lineno


def test_only_decide_makes_a_decision():
    for module in modules():
        for name, line in _names(module.tree):
            if module.name != "policies.decide":
                assert name != "_SEAL", f"{module.path}:{line} knows the seal"
            # The ways to make or change a frozen object past its constructor.
            assert name not in {"__new__", "__setattr__"}, f"{module.path}:{line} goes round a constructor"
        for name, call in module.calls():
            if name == "Decision":
                assert module.name == "policies.decide", f"{module.path}:{call.lineno} makes a Decision"


def test_only_the_token_module_uses_jose():
    users = {module.name for module in modules() for target, _, _ in module.imports() if target.split(".")[0] == "jose"}
    assert users == {"api.identity.tokens"}


def test_protection_and_geometry_are_pure():
    for module in modules():
        if module.room == "protection":
            for target, _, line in module.imports():
                pure = target.split(".")[0] in sys.stdlib_module_names or target.startswith("api.protection")
                assert pure, f"{module.path}:{line} imports {target}"


# Whoever verifies the ledger runs these files and nothing else of the service; one of them checks Ed25519.
VERIFIER = {f"api.ledger.{name}" for name in ("verifier", "recount", "leaves", "checkpoint", "merkle")}


def test_verifier_of_the_ledger_needs_nothing_of_the_service():
    for name in VERIFIER:
        module = module_by_name()[name]
        for target, _, line in module.imports():
            signatures = name == "api.ledger.checkpoint" and target.startswith("cryptography.")
            alone = target.split(".")[0] in sys.stdlib_module_names or target in VERIFIER or signatures
            assert alone, f"{module.path}:{line} imports {target}"


# Time, randomness and ids are injected (rule 10): made in these modules only, and handed on.
MAKERS = {"api.app", "api.cli", "api.world"}
MAKING_ROOMS = ("api.demo", "api.store.embedded")
INJECTED_EXCEPTIONS = {
    ("api.ledger.service", "secrets"): "the default of an injected parameter: the salt of a leaf",
}
_CLOCKS = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"), ("time", "time"),
           ("time", "time_ns"), ("time", "monotonic"), ("time", "perf_counter"), ("os", "urandom")}  # fmt: skip
_RANDOM = {"random", "secrets", "numpy"}
_IDS = {"uuid1", "uuid3", "uuid4", "uuid5", "uuid6", "uuid7", "uuid8", "getnode"}


def _made(module):
    for target, name, line in module.imports():
        if target in _RANDOM:
            yield target, line
        if target == "uuid" and name in _IDS:
            yield name, line
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if (owner, node.attr) in _CLOCKS:
                yield f"{owner}.{node.attr}", node.lineno
            if owner == "uuid" and node.attr in _IDS:
                yield node.attr, node.lineno


def test_time_randomness_and_ids_are_injected():
    broken, used = [], set()
    for module in SERVICE:
        if module.name in MAKERS or module.name.startswith(MAKING_ROOMS):
            continue
        for what, line in _made(module):
            if (module.name, what) in INJECTED_EXCEPTIONS:
                used.add((module.name, what))
            else:
                broken.append(f"{module.path}:{line} takes {what} from the world; take it as a parameter")
    assert not broken, "\n".join(broken)
    assert used == set(INJECTED_EXCEPTIONS), "take what is no longer needed off the list"
