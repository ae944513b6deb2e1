"""One case: a random X, a secret difference, many questions. The two sides must give the same answers, byte for byte.

The ids that a request draws are the same on both sides and the clock stands still, so nothing of a body is masked but
what other leaves of the ledger, and random salts, make of the proof of a receipt. Of the headers two are: `traceparent`
(its span is random) and `date`.
"""

import difflib
import json
import os
import random
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from api.settings import BASE_PATH
from tests.functional.noninterference.caller import Caller, some_caller
from tests.functional.noninterference.differences import KINDS, as_changes, dead, some_decision
from tests.functional.noninterference.documents import INTROSPECTION, Documents
from tests.functional.noninterference.faces import Asked, Asker, Face, Memory, all_faces, contract
from tests.functional.noninterference.persons import with_plain
from tests.functional.noninterference.pools import WHOSE, Pools, words_of
from tests.functional.noninterference.rows import Change, Row, Rows, changes_between
from tests.functional.noninterference.stated import LOG_FACES, TABLES
from tests.functional.noninterference.world import Pair, Side, open_pair

SEED = int(os.environ.get("SAMSYN_TEST_SEED", secrets.randbits(32)))
CASES_IN_A_WORLD = 50
_NARROWING = ("Purpose", "Case-Reference", "Legal-Basis")
_PATIENCE = 3
_SAYS_LITTLE = {"HEAD", "OPTIONS"}
_RANDOM_HEADERS = {"traceparent", "date"}
_OF_THE_LOG = re.compile(rf"{BASE_PATH}/ledger/(?:{'|'.join(LOG_FACES)})\b")
# Hashes over random salts, signatures over them, and the keys, of which each side has its own.
_HASH = re.compile(rb"\+[0-9a-f]{8}\+[A-Za-z0-9+/]{40,}=*|[A-Za-z0-9+/]{40,}=*")
# Of the proof of one's own part: what the salts of all and the number of leaves make, and where it stands among them.
_MADE_BY_ALL = {"slot", "salt", "commitment", "wayUp", "size", "root", "path"}


class InterferenceError(AssertionError):
    """Two worlds that are one to X answered differently."""


class BrokenOffError(Exception):
    """The machine was too busy for one of the two to answer in time."""


@dataclass
class Tally:
    """What a run has asked, and what it was told."""

    faces: list[Face] = field(default_factory=list)
    used: Counter[str] = field(default_factory=Counter)
    succeeded: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    # What of the GraphQL schema no document has named yet; None before the first world.
    unnamed: set[str] | None = None
    decided: int = 0
    cases: int = 0
    # Worlds left because a write was answered 503: in an overloaded machine a leaf is not written in time, and nobody
    # can tell what else was. Few may be. A read is asked again: a 503 that came from the secret would come again.
    broken_off: int = 0
    crashes: list[str] = field(default_factory=list)

    @property
    def parameters(self) -> set[str]:
        """Every query parameter of every face, and every order that it offers."""
        reads = [face for face in self.faces if face.method == "GET"]
        orders = {f"{face} ?sort={field}" for face in reads for field in face.sorts()}
        return orders | {f"{face} ?{one['name']}" for face in reads for one in face.parameters("query")}


async def run(
    server_dsn: str,
    prepared: str,
    directory: Path,
    *,
    seed: int,
    cases: int,
    tally: Tally,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """So many cases, world after world. World n begins from `seed + n` alone, so a run can be taken up at any."""
    for nth, first in enumerate(range(0, cases, CASES_IN_A_WORLD)):
        say(f"SAMSYN_TEST_SEED={seed + nth} SAMSYN_TEST_CASES={cases - first}")
        async with open_pair(server_dsn, prepared, directory) as pair:
            world = await _World.begin(pair, tally, random.Random(seed + nth))
            for case in range(first, min(first + CASES_IN_A_WORLD, cases)):
                try:
                    await world.case()
                    tally.cases += 1
                except BrokenOffError:
                    tally.broken_off += 1
                    break
                except InterferenceError as error:
                    where = f"SAMSYN_TEST_SEED={seed + nth}, case {case - first} of its first world"
                    raise InterferenceError(f"{where}\n{error}") from None
            unasked = world.documents.unasked
            tally.unnamed = unasked if tally.unnamed is None else tally.unnamed & unasked


class _World:
    """Two worlds and what has been learned of them by asking. It begins anew each time, so that it can be repeated."""

    def __init__(self, pair: Pair, tally: Tally, rng: random.Random, rows: Rows, documents: Documents) -> None:
        self._pair, self._tally, self._rng, self._rows, self.documents = pair, tally, rng, rows, documents
        self._memory = Memory()
        self._words = words_of(contract(pair.a.app.app))
        self._queue: list[Face] = []
        self._turn = 0
        # Faces seen to leave receipts: there is more to hide behind them, so they are asked more often.
        self._protected: dict[Face, None] = {}
        self._answered: set[Face] = set()

    @classmethod
    async def begin(cls, pair: Pair, tally: Tally, rng: random.Random) -> "_World":
        token = pair.a.app.token("polismyndigheten")
        answer, _ = await pair.both(
            method="POST",
            url="http://test/samsyn/v1/graphql",
            json={"query": INTROSPECTION},
            headers={"Authorization": f"Bearer {token}"},
        )
        tally.faces = all_faces(pair.a.app.app)
        return cls(pair, tally, rng, await pair.a.rows(), Documents(answer.json()["data"]))

    async def case(self) -> None:
        """Let the worlds differ, ask, compare, and make them one again."""
        pair, rng = self._pair, self._rng
        assert pair.clock.at is not None
        pair.clock.at += timedelta(minutes=rng.randint(1, 8))
        x = some_caller(rng, pair.a.app, self._rows, self._owners_of_the_unanswered())
        known = await self._decisions_of_its_own(x)
        changes = await self._differ(x)
        pools = Pools(rng, x.agency, *self._in_plain(x, [*changes, *known]), self._words)
        asker = Asker(rng, pools, self.documents, self._memory)
        for asked in self._requests(asker, x, pools.differing()):
            await self._compare(asked, x, changes)
        left, self._rows = await pair.even_out()
        self._check_what_is_left(left, changes, x)

    def _unanswered(self) -> list[Face]:
        return [face for face in self._tally.faces if face.method == "GET" and face not in self._answered]

    def _owners_of_the_unanswered(self) -> set[str]:
        """Now and then those who hold what a face shows that has only refused so far: few others can be answered."""
        if self._rng.random() < 0.7:
            return set()
        rows = [row for face in self._unanswered() for table in face.subjects() for row in self._rows[table].values()]
        return {row[column] for row in rows for column in WHOSE if row.get(column) is not None}

    def _in_plain(self, x: Caller, changes: list[Change]) -> tuple[Rows, list[Change]]:
        """Rows and changes with what lies sealed beside it in plain: one who asks may know, or guess, what it says."""

        def plain(row: Row | None) -> Row | None:
            return None if row is None else with_plain(x.sealer, row)

        people = {key: with_plain(x.sealer, row) for key, row in self._rows["individuals"].items()}
        told = [
            Change(change.table, plain(change.before), plain(change.after)) if change.table == "individuals" else change
            for change in changes
        ]
        return {**self._rows, "individuals": people}, told

    async def _decisions_of_its_own(self, x: Caller) -> list[Change]:
        """Decisions to X that are the same in both worlds: without them, most of what X may see would be its own.

        Returns them with the persons they name, as what is worth asking about.
        """
        if x.agency is None or self._rng.random() < 0.3:
            return []
        made: list[Change] = []
        for _ in range(self._rng.randint(1, 2)):
            said = {"purpose": x.purpose} if x.purpose and self._rng.random() < 0.8 else {}
            said |= dead(self._rng, x) if self._rng.random() < 0.2 else {}
            decision, items = some_decision(self._rng, self._rows, x, recipient=x.agency, **said)
            if decision["holder"] != x.agency:
                made += as_changes(decision, items)
        await self._pair.share(made)
        for change in made:
            assert change.after is not None
            self._rows[change.table][change.key] = change.after
        people = self._rows["individuals"]
        named = (people.get((change.after.get("item_id"),)) for change in made if change.after is not None)
        return [*made, *(Change("individuals", row, row) for row in named if row is not None)]

    async def _differ(self, x: Caller) -> list[Change]:
        """Draw differences and make them on one side; those, and rows that are worth asking about."""
        changes: dict[tuple[str, Any], Change] = {}
        told: list[Change] = []
        while not changes:
            for kind in self._rng.sample(KINDS, len(KINDS) if x.agency is None else self._rng.randint(1, 12)):
                drawn = kind.draw(self._rng, x, self._rows)
                new = [one for one in drawn if one.before != one.after and (one.table, one.key) not in changes]
                changes |= {(change.table, change.key): change for change in new}
                told += [one for one in drawn if one.before == one.after]
                self._tally.kinds[kind.name] += bool(new)
        await self._pair.differ(list(changes.values()))
        # The log shows how many have asked, so it is compared only where as many have: other agencies, about others.
        drawn = self._rng.random()
        self._in_step = drawn > 0.2
        for side in (self._pair.a, self._pair.b) if 0.2 < drawn < 0.5 else () if self._in_step else (self._pair.b,):
            await self._others_ask(x, side, 2 if self._in_step else self._rng.randint(1, 4))
        return [*changes.values(), *told]

    async def _others_ask(self, x: Caller, side: Side, times: int) -> None:
        """Others have been there: their questions and receipts stand in the ledger before X's."""
        rng = self._rng
        # To whom X discloses something, and when, is X's to know: the ledger tells its givers.
        told = {row["recipient"] for row in self._rows["disclosure_decisions"].values() if row["holder"] == x.agency}
        with side.uncounted():
            for nth in range(times):
                agency = rng.choice([slug for (slug,) in self._rows["agencies"] if slug not in {x.agency, *told}])
                mapping = rng.choice(sorted(self._rows["mappings"]))[0]
                side.ids.begin(f"others {self._pair.clock.at} {nth}")
                headers = {"Purpose": x.purpose or "prevent-crime", "Case-Reference": "B1"}
                headers["Authorization"] = f"Bearer {side.app.token(agency)}"
                await side.client.get(f"mappings/{mapping}/individuals", headers=headers)

    def _requests(self, asker: Asker, x: Caller, differing: set[str]) -> Iterator[Asked]:
        """Each face in its turn; beside it those that have something to hide, and those that speak of what differs.

        Those that have only refused so far are asked until somebody comes whom they answer.
        """
        rng = self._rng
        faces = [self._next_face() for _ in range(8)]
        unanswered = self._unanswered()
        faces += [rng.choice(unanswered) for _ in range(2) if unanswered]
        telling = [face for face in self._tally.faces if face.method not in _SAYS_LITTLE]
        speaking = [face for face in telling if face.subjects() & differing]
        for some, times in ((list(self._protected), 6), (speaking, 7)):
            faces += [rng.choice(some) for _ in range(times) if some]
        # One address with as many faces as the schema has fields: it has a question in each case.
        faces += [face for face in self._tally.faces if face.method == "POST" and face.template.endswith("/graphql")]
        rng.shuffle(faces)
        for face in faces:
            saying = x.narrowed(rng.choice(_NARROWING)) if rng.random() < 0.15 else x
            yield from asker.ask(face, saying.headers)
        link = asker.follow(x.headers)
        if link is not None:
            yield link

    def _next_face(self) -> Face:
        if not self._queue:
            self._turn += 1
            for nth, face in enumerate(self._tally.faces):
                # Writes more often, for few callers may make each; what says least, in every third turn.
                rarely = face.method in _SAYS_LITTLE
                times = (nth + self._turn) % 3 == 0 if rarely else 1 if face.method == "GET" else 2
                self._queue += [face] * times
            self._rng.shuffle(self._queue)
        return self._queue.pop()

    async def _compare(self, asked: Asked, x: Caller, changes: list[Change]) -> None:
        if _OF_THE_LOG.search(asked.url) and not self._in_step:
            # What one of them has no leaf for, only that one does not find: their statuses are not counted either.
            with self._pair.a.uncounted(), self._pair.b.uncounted():
                self._note(asked, (await self._pair.both(**asked.as_request()))[0])
            return
        first, second = await self._pair.both(**asked.as_request())
        for _ in range(_PATIENCE):
            if 503 not in {first.status_code, second.status_code}:
                break
            if asked.face.method not in {"GET", "HEAD"}:
                raise BrokenOffError
            # One may have left its leaf, and the other not.
            self._in_step = False
            first, second = await self._pair.both(**asked.as_request())
        self._note(asked, first)
        if _seen(first) != _seen(second):
            told = _told_apart(first, second)
            hidden = [change for change in changes if change.before != change.after]
            difference = "\n  ".join(str(change)[:600] for change in await self._least(asked, hidden))
            raise InterferenceError(f"X is {x}\nand asks {asked}\nthe worlds differ in\n  {difference}\n{told}")

    async def _least(self, asked: Asked, changes: list[Change]) -> list[Change]:
        """One of the changes that is by itself enough to tell the worlds apart, or all where none is."""
        before, after = await self._pair.b.rows(), await self._pair.a.rows()
        same = changes_between(before, after)
        for change in changes:
            await self._pair.differ(same)
            same = []
            try:
                await self._pair.differ([change])
            except asyncpg.UniqueViolationError:
                # What X asked has been written meanwhile, under the very key that differed.
                continue
            first, second = await self._pair.both(**asked.as_request())
            if _seen(first) != _seen(second):
                return [change]
            same = changes_between(await self._pair.b.rows(), await self._pair.a.rows())
        return changes

    def _note(self, asked: Asked, answer: httpx.Response) -> None:
        tally = self._tally
        tally.used.update(asked.used)
        self._memory.used |= asked.used
        tally.statuses[answer.status_code] += 1
        if answer.status_code < 400:
            tally.succeeded[str(asked.face)] += 1
            self._answered.add(asked.face)
            self._memory.note(asked.url, answer)
        if answer.status_code == 500:
            tally.crashes.append(str(asked))
        if b'"receipt":"' in answer.content and asked.face in tally.faces:
            self._protected[asked.face] = None
            tally.decided += b'"decision":"' in answer.content

    def _check_what_is_left(self, left: list[Change], changes: list[Change], x: Caller) -> None:
        """What X wrote must be left alike too, but for columns that X may not see and what the service keeps itself."""
        differed = {(change.table, change.key) for change in changes if change.before != change.after}
        for change in left:
            stated = TABLES[change.table]
            if (change.table, change.key) in differed or stated.rows == "log":
                continue
            before, after = change.before or {}, change.after or {}
            columns = {name for name in before | after if before.get(name) != after.get(name)}
            if not columns <= stated.hidden | stated.random:
                raise InterferenceError(f"what {x} wrote was left differently: {change}")


def _seen(answer: httpx.Response) -> tuple[int, list[tuple[str, str]], bytes]:
    random_headers, content = _RANDOM_HEADERS, answer.content
    if _OF_THE_LOG.search(answer.request.url.path):
        content = _HASH.sub(b"(hash)", content)
    if b'"proof":{' in content:
        random_headers, content = random_headers | {"content-length"}, _without_the_log(answer.json())
    headers = [(name, "" if name in random_headers else value) for name, value in answer.headers.multi_items()]
    return answer.status_code, sorted(headers), content


def _without_the_log(body: dict[str, Any]) -> bytes:
    """A receipt without what every answer to anybody changes: hashes, and how many leaves there are."""
    proof = {name: value for name, value in body["proof"].items() if name not in _MADE_BY_ALL}
    proof["leaf"] = {name: value for name, value in proof["leaf"].items() if name not in {"index", "contentRoot"}}
    links = {name: link for name, link in body["_links"].items() if name != "checkpoint"}
    whole = {"erased": body["proof"]["salt"] is None, "length": len(body["proof"]["wayUp"])}
    return json.dumps(body | {"proof": proof | whole, "_links": links}, sort_keys=True).encode()


def _told_apart(first: httpx.Response, second: httpx.Response) -> str:
    """Where the two answers differ, without and with the secret."""
    said = []
    for answer in (first, second):
        status, headers, body = _seen(answer)
        lines = [str(status), *(f"{name}: {value}" for name, value in headers), _pretty(body)]
        said.append("\n".join(lines).splitlines())
    return "\n".join(list(difflib.unified_diff(*said, "without the secret", "with it", n=0, lineterm=""))[:20])


def _pretty(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), indent=1, ensure_ascii=False)
    except ValueError:
        return body.decode("utf-8", "replace")
