"""Known answers, symmetries and coverage of every figure in a score."""

import time
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpacare.evaluation.alpacare_scoring import published_verdict
from alpacare.evaluation.bootstrap import (
    Resampling,
    draw,
    effective_sample_size,
    resampled_means,
    share_interval,
)
from alpacare.evaluation.crossed import mean_win_rate
from alpacare.evaluation.items import Items, gather
from alpacare.evaluation.paired_comparison import average_preferences
from alpacare.evaluation.score import JudgeRun, Outcomes, Rate, Score
from alpacare.evaluation.scoring import ItemFacts, score_judgments
from alpacare.judging.verdicts.labels import Labels
from alpacare.judging.verdicts.reading import read_verdict
from alpacare.records.judgment import Judgment, Order

PUBLISHED = JudgeRun(labels=["Output (a)", "Output (b)", "Tie"])
ORDERS: tuple[Order, Order] = ("model_first", "reference_first")
HOW = Resampling(resamples=500, confidence=0.95, seed=0)
SWAPPED = {"model": "reference", "reference": "model", "tie": "tie", None: None}
Verdicts = tuple[str | None, str | None]


def judged(pairs: Sequence[Verdicts], raw: str = "", sample: int = 0) -> list[Judgment]:
    return [
        Judgment(id=str(n), order=order, verdict=verdict, raw=raw, request="", sample=sample)  # type: ignore[arg-type]
        for n, pair in enumerate(pairs)
        for order, verdict in zip(ORDERS, pair, strict=True)
    ]


def describe(n: int, lengths: Sequence[tuple[int, int]] | None = None) -> dict[str, ItemFacts]:
    lengths = lengths or [(10, 10)] * n
    return {str(i): ItemFacts(*lengths[i], difficulty=1 + i % 5, type="chat") for i in range(n)}


def summed(pairs: Sequence[Verdicts], lengths: Sequence[tuple[int, int]] | None = None) -> Score:
    return score_judgments(judged(pairs), describe(len(pairs), lengths), HOW, JudgeRun())


def test_known_answers() -> None:
    score = summed(
        [("model", "model"), ("model", "reference"), ("tie", "model"), ("reference", None)]
    )
    assert score.win_rate == 0.75  # (1 + 0.5 + 0.75) / 3
    assert (score.n, score.n_valid, score.failures, score.failure_rate) == (4, 3, 1, 0.125)
    assert (score.wins, score.ties, score.losses, score.tie_rate) == (2, 1, 0, 0.3333)
    assert (score.bound_low, score.bound_high) == (0.5625, 0.6875)  # (2.25 + 0 or 0.5) / 4
    assert score.position_consistency == 0.3333
    assert score.first_slot_rate == 0.5  # a: 1 of 2; b: 2 of 2; c: 0 of 1; d: 0 of 1
    assert score.mtbench.win_rate == 0.6667  # win, tie, tie
    assert score.mtbench_outcomes == Outcomes(wins=1, ties=2, losses=0)
    assert (score.non_tied.win_rate, score.non_tied.n) == (1.0, 2)
    assert score.by_difficulty["2"].win_rate == 0.5
    assert (score.by_difficulty["4"].win_rate, score.by_difficulty["4"].n) == (None, 0)
    assert score.by_type["chat"].n == 3


def test_length_figures() -> None:
    score = summed(
        [("model", "model"), ("reference", "reference"), ("tie", "tie"), ("model", "model")],
        [(20, 10), (30, 20), (5, 10), (7, 0)],
    )
    assert score.length_ratio == 1.5  # of 2, 1.5 and 0.5; an empty answer has no ratio
    assert score.longer_preferred == 0.6667  # yes, no, tie, yes


verdict = st.sampled_from(["model", "reference", "tie", None])
lengths_of = st.tuples(st.integers(0, 50), st.integers(0, 50))


@given(st.lists(st.tuples(verdict, verdict, lengths_of), min_size=1, max_size=40))
def test_swapping_the_sides_gives_one_minus_everything(
    rows: list[tuple[str | None, str | None, tuple[int, int]]],
) -> None:
    here = summed([row[:2] for row in rows], [row[2] for row in rows])
    there = summed([(SWAPPED[b], SWAPPED[a]) for a, b, _ in rows], [row[2][::-1] for row in rows])
    for one, other in (
        (here, there),
        (here.mtbench, there.mtbench),
        (here.non_tied, there.non_tied),
    ):
        if one.win_rate is None:
            assert other.win_rate is None
        else:
            assert other.win_rate == round(1 - one.win_rate, 4), "exactly, to the last place"
            assert other.ci_low == pytest.approx(1 - (one.ci_high or 0), abs=2e-4)
    assert here.position_consistency == there.position_consistency
    assert here.first_slot_rate == there.first_slot_rate
    ours, theirs = here.mtbench_outcomes, there.mtbench_outcomes
    assert ours
    assert theirs == Outcomes(wins=ours.losses, ties=ours.ties, losses=ours.wins)
    assert here.n_valid == ours.wins + ours.ties + ours.losses
    assert here.longer_preferred == there.longer_preferred
    if here.bound_low is not None:
        assert there.bound_high == round(1 - here.bound_low, 4)


def test_a_judge_that_always_takes_the_first_gets_half_and_no_consistency() -> None:
    score = summed([("model", "reference")] * 9)
    assert (score.win_rate, score.position_consistency, score.first_slot_rate) == (0.5, 0.0, 1.0)
    assert score.mtbench.win_rate == 0.5
    assert score.non_tied.n == 0
    assert score.ci_low is not None
    assert score.ci_low < 0.4 < 1 - score.ci_low, "nine items alike are no certainty"


def averaged(*references: Items) -> Rate:
    runs = [average_preferences([items.by_id() for items in references])]
    return mean_win_rate(runs, HOW).rate


def test_a_mean_says_when_a_reference_has_no_verdicts() -> None:
    won, unread = (gather(judged([pair] * 5)) for pair in (("model", "model"), (None, None)))
    mean = averaged(won, unread)
    assert (mean.win_rate, mean.n) == (None, 0)
    part = gather(judged([("model", "model"), ("model", None)]))
    mean = averaged(gather(judged([("reference", "reference")] * 2)), part)
    assert (mean.win_rate, mean.n) == (0.5, 1)


def test_bounds_fill_in_every_verdict_that_failed() -> None:
    """Also a sample's beside others that could be read: of 4 verdicts one is lost or won."""
    rows = [*judged([("model", "model")]), *judged([("model", None)], sample=1)]
    score = score_judgments(rows, describe(1), HOW, JudgeRun())
    assert (score.win_rate, score.bound_low, score.bound_high) == (1.0, 0.75, 1.0)


def test_a_clean_sweep_is_not_certain() -> None:
    """70 of 70 won. Wilson 1927: from n / (n + z^2) = 0.948."""
    score = summed([("model", "model")] * 70)
    assert (score.ci_low, score.ci_high) == (0.948, 1.0)
    score = summed([("reference", "reference")] * 70)
    assert (score.ci_low, score.ci_high) == (0.0, 0.052)


def test_nothing_readable_gives_no_number() -> None:
    score = summed([(None, None)])
    assert (score.win_rate, score.ci_low, score.failures) == (None, None, 2)
    assert (score.bound_low, score.bound_high) == (0.0, 1.0)
    assert score_judgments([], {}, HOW, JudgeRun()).n == 0


# share of items lost, tied and won, of how many; what a judge of a strong or weak student gives
WORLDS = [
    (216, (0.3, 0.2, 0.5)),
    (216, (0.92, 0.05, 0.03)),
    (70, (0.5, 0.0, 0.5)),
    (70, (0.94, 0.04, 0.02)),
    (1000, (0.6, 0.1, 0.3)),
]


@pytest.mark.parametrize(("n", "shares"), WORLDS)
def test_an_interval_covers_the_truth_as_often_as_it_says(
    n: int, shares: tuple[float, float, float]
) -> None:
    """95 % +- 2 %, also near 0, where percentiles of the resamples cover 88 %."""
    random = np.random.default_rng(7)
    truth = shares[1] / 2 + shares[2]
    draws = draw(n, 400, 0)
    trials, hits = 1500, 0
    for values in random.choice([0.0, 0.5, 1.0], p=shares, size=(trials, n)):
        effective = effective_sample_size(values.mean(), resampled_means(values, draws), n)
        low, high = share_interval(values.mean(), effective, 0.95)
        hits += low <= truth <= high
    assert 0.93 <= hits / trials <= 0.975


def test_a_mean_over_references_knows_that_they_share_their_items() -> None:
    """Twice the same reference is no more information; two that differ are."""
    random = np.random.default_rng(3)
    outcomes: list[list[Verdicts]] = [
        [
            ("model", "model") if won else ("reference", "reference")
            for won in random.random(200) < 0.5
        ]
        for _ in range(2)
    ]
    one, other = (gather(judged(pairs)) for pairs in outcomes)
    alone, twice, both = (averaged(*items) for items in ([one], [one, one], [one, other]))
    assert twice == alone
    assert None not in (both.ci_low, both.ci_high, alone.ci_low, alone.ci_high)
    narrow = (both.ci_high - both.ci_low) / (alone.ci_high - alone.ci_low)  # type: ignore[operator]
    assert narrow == pytest.approx(0.5**0.5, abs=0.1)
    rates = [averaged(items).win_rate for items in (one, other)]
    assert both.win_rate == pytest.approx(sum(rates) / 2, abs=1e-4)  # type: ignore[arg-type]


def test_samples_are_averaged_and_give_self_consistency() -> None:
    rows = [
        *judged([("model", "model"), ("tie", None)], sample=0),
        *judged([("model", "reference"), ("tie", "tie")], sample=1),
        *judged([("model", "model"), ("tie", "tie")], sample=2),
    ]
    score = score_judgments(rows, describe(2), HOW, JudgeRun())
    assert score.samples == 3
    assert score.win_rate == 0.6667  # (1 + 2/3) / 2 and 0.5
    assert score.n_valid == 2
    # of ordered pairs of samples: 6 of 6, 2 of 6, 6 of 6, 2 of 2
    assert score.self_consistency == 0.8
    assert score.failures == 1


def test_ratings_are_averaged_by_criterion_and_side() -> None:
    rows = judged([("model", "model")])
    rated = [
        row.model_copy(update={"ratings": {"safety": given}})
        for row, given in zip(rows, ([5.0, 2.0], [4.0, 3.0]), strict=True)
    ]
    assert score_judgments(rated, describe(1), HOW, JudgeRun()).ratings == {"safety": [4.5, 2.5]}


def test_groups_that_are_not_known_are_shown_where_others_are() -> None:
    pairs = describe(4)
    pairs["3"] = ItemFacts(10, 10, None, None)
    score = score_judgments(judged([("model", "model")] * 4), pairs, HOW, JudgeRun())
    assert list(score.by_difficulty) == ["1", "2", "3", "unknown"]
    nothing = {id: ItemFacts(10, 10, None, None) for id in pairs}
    assert score_judgments(judged([("model", "model")] * 4), nothing, HOW, JudgeRun()).by_type == {}


ALPACARE = Labels(form="labels", first="Output (a)", second="Output (b)", tie="Tie")


@pytest.mark.parametrize(
    ("raw", "verdict"),
    [
        ("Output (a)", "first"),
        ("**Output (b)**", "second"),
        (" Output (a).\n", "first"),
        ("Tie", "tie"),
        ("“Output (a)” ✅", "first"),
        ("**T**ie", "tie"),
        ("Output (a) or Output (b), Tie", "tie"),  # a fault of the published rule
        *((raw, None) for raw in ("output (a)", "Output(a)", "(a)", "A", "Output A")),
        *((raw, None) for raw in ("Output (a) is better", "tie", "It is a tie.", "")),
    ],
)
def test_the_published_rule_reads_exact_spellings_only(raw: str, verdict: str | None) -> None:
    assert published_verdict(raw) == verdict


def test_the_published_number_is_given_beside_ours() -> None:
    """The same raw replies, by both rules; an item does not count when either reply is unread."""
    raws = [
        ("Output (a)", "Output (b)"),  # won, won
        ("output (a)", "Output (b)"),  # theirs: unread; ours: won
        ("Output (b)", "Output (a)"),  # lost
        ("Tie", "Output (b)"),  # 0.75
    ]
    rows = []
    for n, pair in enumerate(raws):
        for order, raw in zip(ORDERS, pair, strict=True):
            slot = read_verdict(raw, ALPACARE).slot
            won = (slot == "first") == (order == "model_first")
            verdict = "tie" if slot == "tie" else "model" if won else "reference"
            rows.append(
                Judgment(id=str(n), order=order, verdict=verdict, raw=raw, request="")  # type: ignore[arg-type]
            )
    score = score_judgments(rows, describe(4), HOW, PUBLISHED)
    assert score.win_rate == 0.6875  # (1 + 1 + 0 + 0.75) / 4
    assert score.published is not None
    assert (score.published.win_rate, score.published.n) == (0.5833, 3)  # (1 + 0 + 0.75) / 3
    assert score_judgments(rows, describe(4), HOW, JudgeRun()).published is None


def test_the_whole_of_the_paper_is_scored_in_seconds() -> None:
    """1,216 items against 4 references in both orders: 9,728 replies parsed, scored, resampled."""
    random = np.random.default_rng(0)
    replies = ["Output (a)", "Output (b) is better.", "**Tie**", "The better answer is Output (a)."]
    how = Resampling(resamples=2000, confidence=0.95, seed=0)
    start = time.perf_counter()
    for n in [216, 1000] * 4:
        rows = []
        for id in range(n):
            for order in ORDERS:
                raw = replies[random.integers(4)]
                slot = read_verdict(raw, ALPACARE, ["Explain.", "", "One answer.", "Another."]).slot
                won = (slot == "first") == (order == "model_first")
                verdict = "tie" if slot == "tie" else "model" if won else "reference"
                rows.append(
                    Judgment(id=str(id), order=order, verdict=verdict, raw=raw, request="")  # type: ignore[arg-type]
                )
        lengths = [(int(a), int(b)) for a, b in random.integers(1, 2000, (n, 2))]
        assert score_judgments(rows, describe(n, lengths), how, PUBLISHED).n_valid == n
    assert time.perf_counter() - start < 8
