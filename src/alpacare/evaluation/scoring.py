"""From verdicts to a score: every figure with its counts, and intervals over test items."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import perm
from statistics import fmean, median
from typing import Any

from alpacare.evaluation.alpacare_scoring import FIRST, published_judgments
from alpacare.evaluation.bootstrap import Resampling, draw, effective_sample_size, share_interval
from alpacare.evaluation.items import PREFERENCES, Array, Items, gather
from alpacare.evaluation.length_control import length_controlled_win_rate
from alpacare.evaluation.score import JudgeRun, Outcomes, Rate, Score
from alpacare.evaluation.win_rates import (
    NO_RATE,
    estimate_win_rate,
    estimate_with_sample_size,
    rounded_rate,
    rounded_win_rate,
)
from alpacare.records.judgment import Judgment


@dataclass(frozen=True)
class ItemFacts:
    """Facts on a judged item besides its verdicts; lengths in characters."""

    length: int  # of the student's answer
    reference_length: int
    difficulty: int | None
    type: str | None


def score_judgments(
    judgments: Sequence[Judgment], facts: Mapping[str, ItemFacts], how: Resampling, run: JudgeRun
) -> Score:
    """Sum up one judge's verdicts on one reference.

    `facts` of every judged item; `run`: what the judge's stage wrote beside its verdicts.
    """
    items = gather(judgments)
    known = [facts[id] for id in items.ids]
    preferences = items.item_preferences()
    draws = draw(len(items.ids), how.resamples, how.seed)
    rate = partial(estimate_win_rate, draws=draws, confidence=how.confidence)
    strict = _mtbench_preferences(items)
    overall, size = estimate_with_sample_size(preferences, draws, how.confidence)
    return Score(
        **overall.model_dump(exclude={"n"}),
        confidence=how.confidence,
        n=len(items.ids),
        n_valid=overall.n,
        **_failures(judgments),
        **_outcomes(preferences),
        **_positions(items, judgments),
        mtbench=rate(strict),
        mtbench_outcomes=_count(strict),
        non_tied=rate(_decided_preferences(preferences)),
        **_length_controlled(preferences, known, draws, size, how.confidence),
        **_lengths(preferences, known),
        published=rate(_published_preferences(judgments)) if FIRST in run.labels else None,
        **_samples(judgments),
        ratings=_ratings(judgments),
        by_difficulty=_groups(rate, preferences, [each.difficulty for each in known]),
        by_type=_groups(rate, preferences, [each.type for each in known]),
        models=run.models,
        dollars=run.dollars,
        seconds=run.call_seconds,
    )


def _failures(judgments: Sequence[Judgment]) -> dict[str, Any]:
    failures = sum(judgment.verdict is None for judgment in judgments)
    return {
        "failures": failures,
        "failure_rate": _share(failures, len(judgments)),
        "bound_low": _bound(judgments, PREFERENCES["reference"]),
        "bound_high": _bound(judgments, PREFERENCES["model"]),
    }


def _bound(judgments: Sequence[Judgment], unreadable: float) -> float | None:
    """Give the win rate if every unreadable verdict had this preference."""
    means = gather(judgments, unreadable).item_preferences()
    return rounded_win_rate(float(means.mean())) if len(means) else None


def _outcomes(preferences: Array) -> dict[str, Any]:
    found = _count(preferences)
    return {**found.model_dump(), "tie_rate": _share(found.ties, sum(found.model_dump().values()))}


def _count(preferences: Array) -> Outcomes:
    """Count wins, ties and losses; unreadable items are none of these."""
    wins, ties, losses = preferences > 0, preferences == 0, preferences < 0
    return Outcomes(wins=int(wins.sum()), ties=int(ties.sum()), losses=int(losses.sum()))


def _positions(items: Items, judgments: Sequence[Judgment]) -> dict[str, Any]:
    import numpy as np

    valid = items.preferences[~np.isnan(items.preferences).any(axis=1)]
    consistent = int((np.sign(valid[:, 0]) == np.sign(valid[:, 1])).sum())
    decided = [each for each in judgments if each.verdict not in (None, "tie")]
    first = sum(each.order == f"{each.verdict}_first" for each in decided)
    return {
        "position_consistency": _share(consistent, len(valid)),
        "first_slot_rate": _share(first, len(decided)),
    }


def _mtbench_preferences(items: Items) -> Array:
    """Apply MT-bench's rule: a win or a loss only if both orders agree, else a tie."""
    import numpy as np

    signs = np.sign(items.preferences)
    preferences: Array = np.where(signs[:, 0] == signs[:, 1], signs[:, 0] / 2, 0.0)
    preferences[np.isnan(signs).any(axis=1)] = np.nan
    return preferences


def _published_preferences(judgments: Sequence[Judgment]) -> Array:
    return gather(published_judgments(judgments)).item_preferences()


def _decided_preferences(preferences: Array) -> Array:
    """Keep wins and losses only; ties do not count."""
    import numpy as np

    decided: Array = np.where(preferences == 0, np.nan, np.sign(preferences) / 2)
    return decided


def _length_controlled(
    preferences: Array, facts: Sequence[ItemFacts], draws: Array, size: float, confidence: float
) -> dict[str, Any]:
    import numpy as np

    differences = np.array([each.length - each.reference_length for each in facts], dtype=float)
    found = length_controlled_win_rate(preferences, differences, draws)
    if isinstance(found, str):
        return {"length_controlled": NO_RATE, "length_controlled_why": found}
    n = int((~np.isnan(preferences)).sum())
    # the fit of a judge that prefers by length alone has no spread, so the items' own size is a cap
    own = effective_sample_size(0.5 + found.preference, 0.5 + found.replicates, n)
    size = min(own, found.balance * size)
    interval = share_interval(0.5 + found.preference, size, confidence)
    return {"length_controlled": rounded_rate(found.preference, *interval, n)}


def _lengths(preferences: Array, facts: Sequence[ItemFacts]) -> dict[str, Any]:
    """Give the length figures; ratios leave out empty references, the share equal lengths."""
    ratios = [each.length / each.reference_length for each in facts if each.reference_length]
    differences = [each.length - each.reference_length for each in facts]
    signs = [value * by for value, by in zip(preferences, differences, strict=True) if value * by]
    decided = [sign for sign in signs if sign == sign]  # without NaN
    return {
        "length_ratio": round(median(ratios), 4) if ratios else None,
        "longer_preferred": _share(sum(sign > 0 for sign in decided), len(decided)),
    }


def _samples(judgments: Sequence[Judgment]) -> dict[str, Any]:
    """Self-consistency: the share of pairs of samples that agree (as in Fleiss 1971, eq. 1-2)."""
    given = [(each.id, each.order, each.verdict) for each in judgments if each.verdict]
    pairs = sum(perm(times, 2) for times in Counter(each[:2] for each in given).values())
    agreeing = sum(perm(times, 2) for times in Counter(given).values())
    samples = 1 + max((each.sample for each in judgments), default=0)
    return {"samples": samples, "self_consistency": _share(agreeing, pairs)}


def _ratings(judgments: Sequence[Judgment]) -> dict[str, list[float]]:
    rated = defaultdict[str, list[list[float]]](list)
    for judgment in judgments:
        for name, given in judgment.ratings.items():
            rated[name].append(given)
    return {
        name: [round(fmean(sides), 4) for sides in zip(*given, strict=True)]
        for name, given in rated.items()
    }


def _groups(
    rate: Callable[[Array], Rate], preferences: Array, keys: Sequence[object]
) -> dict[str, Rate]:
    """Give the rate of each group, "unknown" last; no group if all are unknown."""
    import numpy as np

    names = sorted({str(key) for key in keys if key is not None})
    labels = np.array(["unknown" if key is None else str(key) for key in keys])
    if names and "unknown" in labels:
        names.append("unknown")
    return {name: rate(np.where(labels == name, preferences, np.nan)) for name in names}


def _share(part: float, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
