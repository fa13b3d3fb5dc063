"""Differences in plain English: how large, how sure, and what it would take to see them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from alpacare.core.texts import counted
from alpacare.evaluation.crossed import Parts
from alpacare.evaluation.paired_comparison import Comparison, Difference
from alpacare.evaluation.seed_variance import SeedVariance

if TYPE_CHECKING:
    from alpacare.comparison.leaderboard import Duel


def points(share: float) -> str:
    """Write a difference of shares as percentage points with its sign, never -0.0."""
    value = round(100 * share, 1) + 0.0
    return f"{value:+.1f}" if value else "0.0"


def describe_points(found: Difference) -> str:
    """Write "+3.1 points (-1.0 to +7.2)"."""
    interval = f"{points(found.ci_low)} to {points(found.ci_high)}"
    return f"{points(found.change)} points ({interval})"


def describe_difference(found: Difference) -> str:
    """Say how large a difference is, whether it is more than chance, and what would show it."""
    need = describe_need(found)
    return f"{describe_points(found)}: {describe_verdict(found)}{need and f'; {need}'}."


def describe_verdict(found: Difference) -> str:
    """Say whether a difference is more than chance; if not, what is too little to tell."""
    if not found.changed:
        return f"none of {counted(found.n, 'item')} scores otherwise"
    if found.real:
        return "more than chance"
    if found.among > 1 and found.real_alone:
        return f"more than chance alone, but not as one of {found.among} comparisons (Holm)"
    if found.one_seed and found.real_for_items:
        return (
            f"one seed cannot tell: more than chance over {counted(found.n, 'item')} for these "
            "checkpoints, but the luck of training is not covered"
        )
    if found.ci_low > 0 or found.ci_high < 0:
        return f"{counted(found.changed, 'changed item')} cannot tell"
    if found.real_for_items:
        return f"{counted(max(found.seeds), 'seed')} cannot tell"
    few = counted(found.n, "item")
    if max(found.seeds) > 1:
        few += f" and {counted(max(found.seeds), 'seed')}"
    return f"{few} cannot tell"


def describe_holm(number: int, other: str) -> str:
    """Say that several comparisons with one model are corrected; "" for one or none."""
    if number < 2:
        return ""
    return f"These {number} comparisons with {other} are corrected for their number (Holm)."


def describe_duels(duels: Sequence["Duel"]) -> Iterator[str]:
    """Say of each student whether it differs from the one head to head."""
    for duel in duels:
        yield f"{duel.name} against {duel.other}: {describe_difference(duel.difference)}"
    if duels and (holm := describe_holm(len(duels), duels[0].other)):
        yield holm


def describe_parts(parts: Parts, one_seed: bool = False) -> str:
    """Write how wide an interval is by cause: "test items 4.1, training 2.3"."""
    shown = {"test items": parts.items, "training": parts.training, "judge": parts.judge}
    said = [
        f"{what} {100 * half:.1f}" for what, half in shown.items() if half or what == "test items"
    ]
    return ", ".join([*said, *(["training unknown"] if one_seed else [])])


def describe_pool(seeds: SeedVariance) -> str:
    """Say how far the luck of training is in the intervals; "" if nothing was trained."""
    if seeds.unknown:
        return (
            "One training seed: the luck of training is not covered. Intervals and ranks hold for "
            "these checkpoints; another training may do otherwise."
        )
    if not seeds.students:
        return ""
    if seeds.students == 1:
        return f"Training: the variance between seeds is that of one student ({_freedom(seeds)})."
    return (
        f"Training: the variance between seeds is pooled over {seeds.students} students, as if it "
        f"were the same for each ({_freedom(seeds)})."
    )


def describe_pools(places: Iterable[tuple[str, SeedVariance]]) -> Iterator[str]:
    """Say it once of all places, such as "demo by overlap"; of which, where they differ."""
    pools: dict[str, list[str]] = {}
    for place, seeds in places:
        pools.setdefault(describe_pool(seeds), []).append(place)
    for line, where in pools.items():
        if line:
            yield f"{', '.join(dict.fromkeys(where))}: {line}" if len(pools) > 1 else line


def _freedom(seeds: SeedVariance) -> str:
    return f"{counted(seeds.freedom, 'degree')} of freedom"


def describe_need(found: Difference) -> str:
    """Say how many items or seeds would show the difference; "" if it shows, or there is none."""
    if found.real or not found.change:
        return ""
    items, seeds = found.items_needed, found.seeds_needed
    if found.one_seed:
        return "needed: at least two seeds a student"
    if items and seeds:
        return f"needed: about {_about(items)} items, or {_about(seeds)} seeds a student"
    if items:
        return f"needed: about {_about(items)} items" + (
            "; more seeds alone would not do" if max(found.seeds) > 1 else ""
        )
    if seeds:
        return f"needed: more seeds, about {_about(seeds)} a student; more items alone would not do"
    return "needed: both more items and more seeds" if max(found.seeds) > 1 else ""


def describe_left_out(
    found: Comparison, first: str, second: str, wanted: str = "readable verdicts"
) -> str:
    """Count the items that are not compared; "" if there are none. `wanted`: what some lack."""
    counts = {
        f"without {wanted} in {first} or {second}": found.unreadable,
        f"only in {first}": found.only_then,
        f"only in {second}": found.only_now,
    }
    return ", ".join(f"{number:,} {what}" for what, number in counts.items() if number)


def _about(number: int) -> str:
    """Write a number with two figures that count."""
    return f"{float(f'{number:.2g}'):,.0f}"
