"""From verdicts to a score: every figure with what it is made of, and intervals over items."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alpacare.evaluation.alpacare_scoring import FIRST, read_again
from alpacare.evaluation.bootstrap import (
    Resampling,
    draw,
    effective_items,
    resampled_means,
    share_interval,
)
from alpacare.evaluation.items import Items, gather
from alpacare.evaluation.length_control import win_rates_at_equal_length
from alpacare.evaluation.score import JudgeRun, Rate, Score
from alpacare.records.judgment import Judgment

if TYPE_CHECKING:
    from alpacare.evaluation.items import Array

_NONE = Rate(win_rate=None, ci_low=None, ci_high=None, n=0)


@dataclass(frozen=True)
class Pair:
    """What is known of a judged item besides its verdicts; lengths in characters."""

    length: int  # of the student's answer
    reference_length: int
    difficulty: int | None
    type: str | None


def summarise(
    judgments: Sequence[Judgment],
    pairs: Mapping[str, Pair],
    how: Resampling,
    run: JudgeRun,
) -> Score:
    """Sum up one judge's verdicts on one reference.

    `pairs` know every item judged; `run` is what the judge's stage wrote beside its verdicts.
    """
    items = gather(judgments)
    draws = draw(max(1, len(items.ids)), how.resamples, how.seed)[:, : len(items.ids)]
    known = [pairs[id] for id in items.ids]
    leads = items.item_leads()
    plain = rate(leads, draws, how.confidence)
    return Score(
        **plain.model_dump(exclude={"n"}),
        confidence=how.confidence,
        n=len(items.ids),
        n_valid=plain.n,
        **_failures(judgments),
        **_balance(leads),
        **_positions(items, judgments),
        mtbench=rate(_agreed(items), draws, how.confidence),
        non_tied=rate(_decided(leads), draws, how.confidence),
        length_controlled=_at_equal_length(leads, known, draws, how.confidence),
        **_lengths(leads, known),
        published=_published(judgments, draws, how.confidence) if FIRST in run.labels else None,
        **_samples(judgments),
        ratings=_ratings(judgments),
        by_difficulty=_groups(leads, [pair.difficulty for pair in known], draws, how.confidence),
        by_type=_groups(leads, [pair.type for pair in known], draws, how.confidence),
        models=run.models,
        dollars=run.dollars,
        seconds=run.call_seconds,
    )


def rate(leads: "Array", draws: "Array", confidence: float) -> Rate:
    """Make a win rate of items' leads, shape (n,); NaN leads do not count."""
    import numpy as np

    valid = leads[~np.isnan(leads)]
    if not len(valid):
        return _NONE
    mean = float(valid.mean())
    low, high = share_interval(0.5 + mean, _effective(leads, draws), confidence)
    return _rounded(mean, low, high, len(valid))


def _effective(leads: "Array", draws: "Array") -> float:
    import numpy as np

    valid = leads[~np.isnan(leads)]
    return effective_items(
        0.5 + float(valid.mean()), 0.5 + resampled_means(leads, draws), len(valid)
    )


def _rounded(lead: float, low: float, high: float, n: int) -> Rate:
    return Rate(win_rate=_win_rate(lead), ci_low=round(low, 4), ci_high=round(high, 4), n=n)


def _win_rate(lead: float) -> float:
    """Round a lead before 0.5 is added: swapped sides give exactly 1 minus the win rate."""
    return round(0.5 + round(lead, 4), 4)


def _failures(judgments: Sequence[Judgment]) -> dict[str, Any]:
    failures = sum(judgment.verdict is None for judgment in judgments)
    bounds = {"bound_low": "reference", "bound_high": "model"}
    return {
        "failures": failures,
        "failure_rate": _share(failures, len(judgments)),
        **{name: _filled(judgments, verdict) for name, verdict in bounds.items()},
    }


def _filled(judgments: Sequence[Judgment], verdict: str) -> float | None:
    """Give the win rate if every verdict that could not be read were this one."""
    filled = [
        judgment if judgment.verdict else judgment.model_copy(update={"verdict": verdict})
        for judgment in judgments
    ]
    return _win_rate(float(gather(filled).item_leads().mean())) if filled else None


def _balance(leads: "Array") -> dict[str, Any]:
    wins, losses = int((leads > 0).sum()), int((leads < 0).sum())
    ties = int((leads == 0).sum())
    tie_rate = _share(ties, wins + ties + losses)
    return {"wins": wins, "ties": ties, "losses": losses, "tie_rate": tie_rate}


def _positions(items: Items, judgments: Sequence[Judgment]) -> dict[str, Any]:
    import numpy as np

    valid = items.leads[~np.isnan(items.leads).any(axis=1)]
    consistent = int((np.sign(valid[:, 0]) == np.sign(valid[:, 1])).sum())
    shown_first = {("model_first", "model"), ("reference_first", "reference")}
    decided = [each for each in judgments if each.verdict not in (None, "tie")]
    first = sum((each.order, each.verdict) in shown_first for each in decided)
    return {
        "position_consistency": _share(consistent, len(valid)),
        "first_slot_rate": _share(first, len(decided)),
    }


def _agreed(items: Items) -> "Array":
    """MT-bench's rule: a win or a loss only where both orders say so, else a tie."""
    import numpy as np

    signs = np.sign(items.leads)
    leads: Array = np.where(signs[:, 0] == signs[:, 1], signs[:, 0] / 2, 0.0)
    leads[np.isnan(signs).any(axis=1)] = np.nan
    return leads


def _decided(leads: "Array") -> "Array":
    """Wins and losses as such; ties do not count."""
    import numpy as np

    decided: Array = np.where(leads == 0, np.nan, np.sign(leads) / 2)
    return decided


def _at_equal_length(
    leads: "Array", pairs: Sequence[Pair], draws: "Array", confidence: float
) -> Rate:
    import numpy as np

    differences = np.array([pair.length - pair.reference_length for pair in pairs], dtype=float)
    found = win_rates_at_equal_length(0.5 + leads, differences, draws)
    if found is None:
        return _NONE
    n = int((~np.isnan(leads)).sum())
    # a judge that goes by length alone has a fit without spread; it knows no more than its items
    own = effective_items(found.rate, found.replicates, n)
    effective = min(own, found.worth * _effective(leads, draws))
    return _rounded(found.rate - 0.5, *share_interval(found.rate, effective, confidence), n)


def _lengths(leads: "Array", pairs: Sequence[Pair]) -> dict[str, Any]:
    """An empty reference has no ratio; answers of one length say nothing of a preference."""
    from statistics import median

    ratios = [pair.length / pair.reference_length for pair in pairs if pair.reference_length]
    differences = [pair.length - pair.reference_length for pair in pairs]
    products = [lead * by for lead, by in zip(leads, differences, strict=True) if lead * by]
    decided = [product for product in products if product == product]  # NaN: not valid
    return {
        "length_ratio": round(median(ratios), 4) if ratios else None,
        "longer_preferred": _share(sum(product > 0 for product in decided), len(decided)),
    }


def _published(judgments: Sequence[Judgment], draws: "Array", confidence: float) -> Rate:
    return rate(gather(read_again(judgments)).item_leads(), draws, confidence)


def _samples(judgments: Sequence[Judgment]) -> dict[str, Any]:
    """Self-consistency: of all pairs of samples, those that agree (as in Fleiss 1971, eq. 1-2)."""
    verdicts: dict[tuple[str, str], list[str]] = {}
    for each in judgments:
        if each.verdict is not None:
            verdicts.setdefault((each.id, each.order), []).append(each.verdict)
    agreeing = pairs = 0
    for given in verdicts.values():
        agreeing += sum(given.count(one) - 1 for one in given)
        pairs += len(given) * (len(given) - 1)
    samples = 1 + max((each.sample for each in judgments), default=0)
    return {"samples": samples, "self_consistency": _share(agreeing, pairs)}


def _ratings(judgments: Sequence[Judgment]) -> dict[str, list[float]]:
    from statistics import fmean

    rated: dict[str, list[list[float]]] = {}
    for judgment in judgments:
        for name, given in judgment.ratings.items():
            rated.setdefault(name, []).append(given)
    return {
        name: [round(fmean(sides), 4) for sides in zip(*given, strict=True)]
        for name, given in rated.items()
    }


def _groups(
    leads: "Array", keys: Sequence[object], draws: "Array", confidence: float
) -> dict[str, Rate]:
    """Give the rate of each group, "unknown" last; nothing where nothing is known of any item."""
    import numpy as np

    names = sorted({str(key) for key in keys if key is not None})
    labels = np.array(["unknown" if key is None else str(key) for key in keys])
    if names and "unknown" in labels:
        names.append("unknown")
    return {
        name: rate(np.where(labels == name, leads, np.nan), draws, confidence) for name in names
    }


def _share(part: float, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
