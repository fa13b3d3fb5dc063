"""How many more reviews an interval of a wanted width takes: `alpacare review --width`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from alpacare.comparison.agreement_files import Opinions, read_opinions, read_returned
from alpacare.core.errors import BadInput
from alpacare.core.texts import counted
from alpacare.evaluation.agreement import ComparisonKey, MissingReviews
from alpacare.evaluation.items import PREFERENCES
from alpacare.evaluation.people import Compared, name_cell, pair_up
from alpacare.evaluation.review_size import SOME, Variances, estimate_variances
from alpacare.pipeline.params import Params, Run
from alpacare.records.judgment import Verdict
from alpacare.review.key import Key, all_keys
from alpacare.review.review_files import check_pair

By = Mapping[str, Mapping[ComparisonKey, Verdict]]  # a criterion's reviewers


@dataclass(frozen=True)
class ReviewPlan:
    """How many items are to be drawn, which are read already, and why."""

    n: int
    read: frozenset[str]
    sentence: str


@dataclass(frozen=True)
class _Need:
    """What one criterion takes, with the judge that helps most."""

    criterion: str
    judge: str
    variances: Variances
    read: frozenset[str]
    alone: int | None  # items read by one person each
    by_two: int | None


def plan_review(params: Params, test: str, run: Run, reference: str, points: float) -> ReviewPlan:
    """Plan a review that brings the interval down to so many points.

    Raises:
        BadInput: a pair that params.yaml does not compare; no number of its items does.
    """
    check_pair(params, test, run, reference)
    said = read_opinions(params, read_returned(), params.cells())
    confidence = params.scores.confidence
    needs = list(_needs(said, (test, run.student, run.seed, reference), points, confidence))
    for each in needs:
        if each.alone is None:
            items, widest = each.variances.items, each.variances.width_of_all(confidence)
            raise BadInput(
                f"--width {points:g}: with all {items:,} items read the interval is still about "
                f"{100 * widest:.1f} points wide; ask for a wider one, or add test items"
            )
    most = max(needs, key=lambda each: (each.alone or 0) - len(each.read))
    n = max(0, (most.alone or 0) - len(most.read))
    return ReviewPlan(n, most.read, _describe(most, points, n))


def missing_reviews(said: Opinions, confidence: float) -> Iterator[MissingReviews]:
    """Say of each comparison whose review was drawn for a width how many items are missing."""
    wanted: dict[Compared, float] = {}
    judged = {key[:4] for preferences in said.judges.values() for key in preferences}
    for key in all_keys():
        if key.width and (cell := _cell_of(key)) in judged:
            wanted[cell] = min(key.width, wanted.get(cell, key.width))
    for cell, points in wanted.items():
        for need in _needs(said, cell, points, confidence):
            n = len(need.read)
            now = 100 * need.variances.width(n, 1, confidence) if n > 2 else None
            yield MissingReviews(
                **name_cell(cell),
                criterion=need.criterion,
                points=points,
                points_now=None if now is None else round(now, 1),
                read=n,
                missing=None if need.alone is None else max(0, need.alone - n),
            )


def _cell_of(key: Key) -> Compared:
    return key.test, key.student or "", key.training_seed, key.reference


def _needs(said: Opinions, cell: Compared, points: float, confidence: float) -> Iterator[_Need]:
    """Give what each criterion takes that was asked here; one without a name if none was."""
    here = {
        criterion: by
        for criterion, by in said.people.items()
        if any(key[:4] == cell for each in by.values() for key in each)
    }
    for criterion, by in (here or {"": {}}).items():
        read = frozenset(key.id for each in by.values() for key in each if key[:4] == cell)
        found = {judge: _variances(said, cell, judge, by) for judge in said.judges}
        alone = {judge: each.needed(points / 100, 1, confidence) for judge, each in found.items()}
        best = min(found, key=lambda judge: alone[judge] or found[judge].items + 1)
        by_two = found[best].needed(points / 100, 2, confidence)
        yield _Need(criterion, best, found[best], read, alone[best], by_two)


def _variances(said: Opinions, cell: Compared, judge: str, by: By) -> Variances:
    """Estimate variances here; with few reviews, from those of all comparisons by this judge."""
    preferences = said.judges[judge]
    items = sum(key[:4] == cell for key in preferences)
    cells = [cell]
    if len({key.id for each in by.values() for key in each if key[:4] == cell}) < SOME:
        cells = list(dict.fromkeys(key[:4] for key in preferences))
        by = by or next(iter(said.people.values()), {})
    read: dict[ComparisonKey, list[float]] = {}
    for verdicts in by.values():
        for key, verdict in verdicts.items():
            if key[:4] in cells:
                read.setdefault(key, []).append(PREFERENCES[verdict])
    pairs = pair_up(cells, preferences, by, said.strata)
    return replace(estimate_variances(pairs, list(read.values())), items=items)


def _describe(need: _Need, points: float, n: int) -> str:
    what = f"{need.criterion}: " if need.criterion else ""
    known = need.variances
    lines = [
        f"{what}an interval of {points:g} points takes about {counted(need.alone or 0, 'item')} "
        f"read by one person each; read so far: {len(need.read):,}, drawn now: {n:,}"
    ]
    if known.disagreement is not None and need.by_two and need.alone:
        lines.append(
            f"read by two people each it takes {counted(need.by_two, 'item')}, "
            f"{2 * need.by_two:,} reviews"
        )
    elif need.read:
        lines.append("no item was read by two people, so nobody knows how far they agree")
    share = known.explained / known.spread if known.spread else 0.0
    if share:
        lines.append(f"judge {need.judge} knows {100 * share:.0f} % of what people say")
    else:
        lines.append("that is without help of a judge: too few reviews say how far one agrees")
    return "\n".join(lines)
