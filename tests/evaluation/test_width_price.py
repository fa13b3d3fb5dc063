"""What a point of width costs: known answers, and that samples of a judge are in the interval."""

from collections.abc import Sequence

import numpy as np
import pytest

from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.crossed import Parts
from alpacare.evaluation.score import JudgeRun
from alpacare.evaluation.scoring import ItemFacts, score_judgments
from alpacare.evaluation.width_price import Counts, price_a_point, reference_share
from alpacare.records.judgment import Judgment


def test_each_kind_alone_makes_it_a_point_narrower() -> None:
    """Half widths of 3 (items), 4 (training) and 0 points: 5 in all, and 4.5 are wanted.

    25 - 20.25 = 4.75 has to go: 9 to 4.25 takes 9 / 4.25 times the items, 16 to 11.25 of seeds.
    """
    counts = Counts(items=170, samples=1, references=2, seeds=2, dollars=10.0)
    found = price_a_point(Parts(0.03, 0.04, 0.0), counts, 0.5)
    assert [each.what for each in found] == [
        "test items",
        "samples",
        "references",
        "training seeds",
    ]
    items, samples, references, seeds = found
    assert (items.needed, seeds.needed) == (360, 3)
    assert items.calls == (190 * 2 * 2 * 2)
    assert items.dollars == pytest.approx(10 * 190 / 170)
    assert (samples.needed, samples.calls) == (None, 0), "nobody knows with one sample"
    assert references.needed is None, "half of 9 is less than what has to go"
    assert price_a_point(Parts(0.03, 0.0, 0.0), counts, 0.9)[2].needed == 4  # 8.1 / (8.1 - 2.75)


def test_samples_help_as_far_as_the_judge_is_by_chance() -> None:
    """Of 25, 16 are the judge's: 4 samples become 16 / 11.25 times as many."""
    counts = Counts(items=100, samples=4, references=1, seeds=1, dollars=0.0)
    _, samples, references, seeds = price_a_point(Parts(0.03, 0.0, 0.04), counts, 0.0)
    assert (samples.needed, samples.calls) == (6, 400)
    assert references.needed == 2
    assert seeds.needed is None


def test_the_share_of_references_is_that_of_an_analysis_of_variance() -> None:
    """Items have variance 4, items by references 2: of two references' mean 1 of 5."""
    rng = np.random.default_rng(0)
    item = rng.normal(0, 2, 4000)
    each = [item + rng.normal(0, 2**0.5, 4000) + shift for shift in (0, 3)]
    runs = [dict(zip(map(str, range(4000)), values.tolist(), strict=True)) for values in each]
    assert reference_share(runs) == pytest.approx(0.2, abs=0.02)
    assert reference_share(runs[:1]) == reference_share([]) == 0.0


def said(rng: np.random.Generator, chances: Sequence[float], samples: int) -> list[Judgment]:
    """A judge that prefers the model with these chances, each time anew."""
    return [
        Judgment(
            id=str(n), order=order, sample=sample, raw="", request="",
            verdict="model" if rng.random() < chance else "reference",
        )
        for n, chance in enumerate(chances)
        for sample in range(samples)
        for order in ("model_first", "reference_first")
    ]  # type: ignore[arg-type]  # fmt: skip


def test_what_a_judge_says_by_chance_is_in_the_interval() -> None:
    """Half of the items are won with a chance of 0.8, half with 0.2: 0.09 + 0.16 / (2 samples)."""
    rng, facts = np.random.default_rng(1), {str(n): ItemFacts(9, 9, 1, None) for n in range(600)}
    how, widths = Resampling(resamples=400, confidence=0.95, seed=0), []
    for samples in (1, 4):
        score = score_judgments(said(rng, [0.8, 0.2] * 300, samples), facts, how, JudgeRun())
        assert score.ci_low is not None
        assert score.ci_high is not None
        widths.append(score.ci_high - score.ci_low)
    one, four = ((0.09 + 0.16 / 2 / samples) / 600 for samples in (1, 4))
    assert widths[0] == pytest.approx(2 * 1.96 * one**0.5, rel=0.06)
    assert widths[1] / widths[0] == pytest.approx((four / one) ** 0.5, rel=0.06)
