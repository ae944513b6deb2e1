"""`decide` against Cedar (cedarpy) and Rego (regopy) on one table of 20 fields and 40 provisions, in one run.

    uv run --group bench python benchmarks/deciding.py [--rounds 15] [--seed 1] [--profile new|cold]

Only the ratios mean anything: the absolute figures are those of the machine, of the day and of what else runs. All
take turns in one process, round by round, on that process's own clock; the figures are medians of the rounds, the
ratios medians of the rounds' ratios. Before anything is timed, all three must release the same fields for generated
questions. One question is all 20 fields at one other agency, under one to three live decisions. `decide` is timed

    same object   the very facts of the call before
    warm          equal facts made anew, as the next request brings them: the answer is kept
    new facts     decisions that were never seen: the answer is made, how the law stands is kept
    cold          a law that was never seen: nothing is kept

and the peers with all kept that they can keep (see `peers`). They say yes or no; `decide` also says why, under which
rows, and what could open what is withheld.
"""

import argparse
import cProfile
import gc
import os
import pstats
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice
from random import Random
from typing import Any

from peers import Cedar, Handed, Rego
from table import FIELDS, PROVISIONS, RESOURCE, TODAY, again, made_facts, made_law, never_seen, telling

from policies.catalogue import law as real_law
from policies.decide import decide
from policies.model import Facts, Holder, Law, LiveDecision

QUESTIONS = 50
CHECKED = 400


@dataclass(frozen=True)
class Contender:
    """What is timed: `prepare` makes the inputs of one round, outside the clock; `run` takes one of them."""

    name: str
    calls: int
    prepare: Callable[[int], Sequence[Any]]
    run: Callable[[Any], object]

    def microseconds(self) -> float:
        """The mean of one round's calls, in time of this process. The collector rests, as `timeit` has it."""
        inputs = self.prepare(self.calls)
        run = self.run
        gc.disable()
        try:
            begun = time.process_time_ns()
            for one in inputs:
                run(one)
            return (time.process_time_ns() - begun) / len(inputs) / 1000
        finally:
            gc.enable()


def handed(facts: Facts, law: Law) -> Handed:
    """What `decide` releases, in the peers' terms: a shared field is released at every holder."""
    found = set()
    for entry in decide(facts, law, TODAY).released:
        if entry.holder_sector is None:
            found |= {(entry.field, holder.sector, holder.own) for holder in facts.holders}
        else:
            found.add((entry.field, entry.holder_sector, entry.ground == "own-data"))
    return frozenset(found)


def same(random: Random, law: Law, cedar: Cedar, rego: Rego) -> tuple[int, int, int]:
    """Refuse to compare engines that release different things; gives how many of what was asked they released.

    The last figure counts what a live decision opened: the part in which the provisions decide.
    """
    asked = released = opened = 0
    for _ in range(CHECKED):
        facts = made_facts(random, law, others=random.randint(0, 3), own=random.random() < 0.5)
        ours = handed(facts, law)
        for name, theirs in (("cedarpy", cedar.released(facts)), ("regopy", rego.released(facts))):
            if ours != theirs:
                raise AssertionError(f"decide and {name} differ in {sorted(ours ^ theirs)} for {facts}")
        asked += len(facts.fields) * len(facts.holders)
        released += len(ours)
        opened += len(
            {
                (entry.field, entry.holder_sector)
                for entry in decide(facts, law, TODAY).released
                if entry.decision is not None
            }
        )
    assert 0 < opened < released < asked
    return asked, released, opened


def _around(values: Sequence[Any], calls: int) -> Iterable[Any]:
    return (values[number % len(values)] for number in range(calls))


def deciders(law: Law, pool: Sequence[Facts], random: Random, cold: int) -> list[Contender]:
    """`decide` in its four states, over the same questions; so many cold calls a round, as each leaves much behind."""
    versions = count()

    def ask(facts: Facts) -> object:
        return decide(facts, law, TODAY)

    def ask_by_its_own_law(one: tuple[Facts, Law]) -> object:
        return decide(one[0], one[1], TODAY)

    def unread(facts: Facts) -> tuple[Facts, Law]:
        # What is kept is kept by the law's version.
        return facts, replace(law, version=f"{law.version}-{next(versions)}")

    return [
        Contender("decide, same object", 2000, lambda calls: list(_around(pool, calls)), ask),
        Contender("decide, warm", 2000, lambda calls: [again(facts) for facts in _around(pool, calls)], ask),
        Contender(
            "decide, new facts", 200, lambda calls: [never_seen(random, facts) for facts in _around(pool, calls)], ask
        ),
        Contender(
            "decide, cold", cold, lambda calls: [unread(facts) for facts in _around(pool, calls)], ask_by_its_own_law
        ),
    ]


def engines(pool: Sequence[Facts], cedar: Cedar, rego: Rego) -> list[Contender]:
    """The same questions, in each engine's own values."""
    requests = [cedar.requests(facts) for facts in pool]
    inputs = [rego.input(facts) for facts in pool]
    return [
        Contender("cedarpy, a call a field", 20, lambda calls: list(_around(requests, calls)), cedar.one_by_one),
        Contender("cedarpy, one batch", 20, lambda calls: list(_around(requests, calls)), cedar.batch),
        Contender("regopy, one query", 20, lambda calls: list(_around(inputs, calls)), rego.ask),
    ]


def individual_facts(law: Law) -> list[Facts]:
    """The real law's widest read: the police asks for individuals, whose rows every authority may hold."""
    names = tuple(field.name for field in law.fields_of("individual"))
    others = (Holder(sector, own=False) for sector in law.sectors if sector in law.authorities)
    holders = (Holder("police", own=True), *others)
    live = LiveDecision("0" * 32, "social-services", "osl-10-18a", "prevent-crime", frozenset(names))
    return [
        Facts("police", "individual", names, holders, "prevent-crime", None, case_reference=True, decisions=(live,))
    ]


def compare(contenders: Sequence[Contender], rounds: int) -> dict[str, list[float]]:
    """Microseconds of every round, by name."""
    figures: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for number in range(rounds + 1):
        for contender in contenders if number % 2 else reversed(contenders):
            measured = contender.microseconds()
            if number:  # the first round warms all up
                figures[contender.name].append(measured)
    return figures


def show(figures: dict[str, list[float]], law: str) -> None:
    """A line each: the median, and the medians of its ratios to three states of `decide` on the same law."""
    bases = ("warm", "new facts", "cold")
    print(f"{law:26}{'µs':>10}" + "".join(f"{'× ' + base:>14}" for base in bases))
    for name, found in figures.items():
        ratios = (
            statistics.median(one / other for one, other in zip(found, figures[f"decide, {base}"], strict=True))
            for base in bases
        )
        print(f"{name:26}{statistics.median(found):10.1f}" + "".join(f"{ratio:14.3g}" for ratio in ratios))


def profile(contender: Contender) -> None:
    """Where one contender's time goes."""
    contender.microseconds()  # warms up
    inputs = contender.prepare(contender.calls * 5)
    profiler = cProfile.Profile(time.process_time)
    profiler.enable()
    for one in inputs:
        contender.run(one)
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(20)


def main() -> None:
    """Check, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1, help="another table and other questions")
    parser.add_argument("--profile", choices=["new", "cold"], help="profile decide in this state instead")
    given = parser.parse_args()
    random = Random(given.seed)
    law = made_law(random)
    pool = [telling(random, law) for _ in range(QUESTIONS)]
    real = real_law()
    ours = deciders(law, pool, random, cold=20)
    on_real = deciders(real, individual_facts(real), random, cold=3)
    if given.profile:
        state = {"new": 2, "cold": 3}[given.profile]
        for contender in (ours[state], on_real[state]):
            profile(contender)
        return
    cedar, rego = Cedar(law, RESOURCE, TODAY), Rego(law, RESOURCE, TODAY)
    asked, released, opened = same(random, law, cedar, rego)
    print(
        f"{os.cpu_count()} cores; {given.rounds} rounds, taken in turns; seed {given.seed}\n"
        f"{FIELDS} fields, {PROVISIONS} provisions; all three alike on {CHECKED} other questions: of {asked} fields at "
        f"holders {released} released, {opened} of them by a decision\n"
    )
    table = [*ours, *engines(pool, cedar, rego)]
    figures = compare([*table, *(replace(one, name=f"real {one.name}") for one in on_real)], given.rounds)
    show(dict(islice(figures.items(), len(table))), "generated table")
    print()
    show({name.removeprefix("real "): found for name, found in islice(figures.items(), len(table), None)}, "individual")
    fields, holders = len(real.fields_of("individual")), len(individual_facts(real)[0].holders)
    print(
        f"\nindividual, by the law as shipped: {fields} fields at {holders} holders, {len(real.provisions)} provisions"
    )


if __name__ == "__main__":
    main()
