"""Agreement of two raters: known answers, and intervals that hold what they say."""

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpacare.evaluation.agreement import (
    VERDICTS,
    ComparisonKey,
    compare_raters,
    compare_raters_by,
    verdict_of,
)
from alpacare.evaluation.bootstrap import Resampling
from alpacare.evaluation.label_agreement import Pair, compare_labels
from alpacare.evaluation.people import majority_verdicts
from alpacare.records.judgment import Verdict

pytestmark = pytest.mark.filterwarnings("error")
HOW = Resampling(resamples=400, confidence=0.95, seed=0)
Said = dict[ComparisonKey, Verdict | None]


def verdicts_of(*verdicts: Verdict | None, reference: str = "r") -> Said:
    return {
        ComparisonKey("t", "m", 0, reference, f"{n:04}"): verdict
        for n, verdict in enumerate(verdicts)
    }


def key(reference: str, item: object) -> ComparisonKey:
    return ComparisonKey("t", "m", 0, reference, str(item))


def raters(table: Sequence[Sequence[int]]) -> tuple[Said, Said]:
    """Make two raters of a table of counts, rows the first's; its order is that of VERDICTS."""
    pairs = [
        (VERDICTS[row], VERDICTS[column])
        for row, counts in enumerate(table)
        for column, count in enumerate(counts)
        for _ in range(count)
    ]
    return verdicts_of(*(one for one, _ in pairs)), verdicts_of(*(other for _, other in pairs))


COHEN = [[88, 14, 18], [10, 40, 10], [2, 6, 12]]


def test_cohens_200_cases() -> None:
    """Cohen 1968 (Psychol. Bull. 70:213) reports .492: 140 equal, by chance 82 of 200."""
    found = compare_raters(*raters(COHEN), HOW)
    assert (found.n, found.items, found.unreadable) == (200, 200, 0)
    assert found.accuracy.value == 0.7
    assert (
        found.kappa.value == 0.4915
    )  # (140 - 82) / (200 - 82), 82 = (120 x 100 + 60 x 60 + 20 x 40) / 200
    assert (found.n_decided, found.accuracy_decided.value) == (152, 0.8421)  # 88, 14, 10, 40


def test_two_categories_by_hand() -> None:
    """20 and 15 of 50 equal, 0.7; by chance 0.5 x 0.6 + 0.5 x 0.4 = 0.5: kappa 0.4."""
    found = compare_raters(*raters([[20, 5, 0], [10, 15, 0], [0, 0, 0]]), HOW)
    assert (found.accuracy.value, found.kappa.value) == (0.7, 0.4)
    assert found.accuracy_decided == found.accuracy


def test_less_than_chance_is_negative() -> None:
    assert compare_raters(*raters([[0, 10, 0], [10, 0, 0], [0, 0, 0]]), HOW).kappa.value == -1.0


def test_the_same_items_against_another_reference_are_no_new_evidence() -> None:
    first, second = raters(COHEN)
    twice = [
        side | {at._replace(reference="r2"): verdict for at, verdict in side.items()}
        for side in (first, second)
    ]
    once, both = compare_raters(first, second, HOW), compare_raters(twice[0], twice[1], HOW)
    assert (both.n, both.items) == (400, 200)
    assert (both.accuracy, both.accuracy_decided) == (once.accuracy, once.accuracy_decided)
    assert both.kappa == once.kappa


sides = st.lists(
    st.tuples(st.sampled_from([*VERDICTS, None]), st.sampled_from([*VERDICTS, None])), max_size=12
)


@given(sides)
def test_who_is_first_changes_nothing(pairs: list[tuple[Verdict | None, Verdict | None]]) -> None:
    how = Resampling(resamples=50, confidence=0.95, seed=0)
    first = verdicts_of(*(one for one, _ in pairs))
    second = dict(reversed(verdicts_of(*(other for _, other in pairs)).items()))
    found = compare_raters(first, second, how)
    assert found == compare_raters(second, first, how)
    assert found.n + found.unreadable == len(pairs)
    for figure in (found.accuracy, found.accuracy_decided, found.kappa):
        if figure.ci_low is not None:
            assert figure.value is not None
            assert figure.ci_high is not None
            assert -1 <= figure.ci_low <= figure.value <= figure.ci_high <= 1


def test_raters_who_always_say_the_same() -> None:
    """Two of them have no kappa; one alone has 0 with anybody, which is no finding: no interval."""
    same = compare_raters(verdicts_of(*["model"] * 9), verdicts_of(*["model"] * 9), HOW)
    assert same.accuracy.value == 1.0
    assert same.accuracy.ci_low is not None
    assert same.accuracy.ci_low < 0.8, "nine items alike are no certainty"
    assert same.kappa.value is None
    one = compare_raters(verdicts_of(*["model"] * 9), verdicts_of("tie", *["model"] * 8), HOW)
    assert (one.kappa.value, one.kappa.ci_low, one.kappa.ci_high) == (0.0, None, None)


def test_nothing_in_common_gives_no_figure() -> None:
    found = compare_raters(verdicts_of("model"), verdicts_of("model", reference="other"), HOW)
    assert (found.n, found.accuracy.value, found.kappa.value) == (0, None, None)
    unread = compare_raters(verdicts_of(None, "tie"), verdicts_of("tie", None), HOW)
    assert (unread.n, unread.unreadable, unread.accuracy.value) == (0, 2, None)


def test_groups_are_those_of_the_common_items_with_the_unknown_last() -> None:
    first, second = raters([[2, 1, 0], [0, 1, 0], [0, 0, 1]])
    types = {"0000": "open QA", "0001": "chat", "0002": "chat", "0003": None, "0004": "chat"}
    found = compare_raters_by(lambda what: types[what.id], first, second, HOW)
    assert list(found) == ["chat", "open QA", "unknown"]
    assert [each.n for each in found.values()] == [3, 1, 1]
    assert found["chat"].accuracy.value == 0.6667
    assert compare_raters_by(lambda _: None, first, second, HOW) == {}


def test_the_majority_speaks_for_the_reviewers() -> None:
    ann = verdicts_of("model", "model", "model", "tie", "reference")
    bob = verdicts_of("model", "reference", "model", "tie", "reference")
    eve = verdicts_of("tie", "tie", "reference", "model")
    assert list(majority_verdicts([ann, bob, eve]).values()) == [
        "model",
        "tie",
        "model",
        "tie",
        "reference",
    ]
    assert majority_verdicts([verdicts_of("model"), verdicts_of("tie")]) == verdicts_of("tie")
    four = [verdicts_of(verdict) for verdict in ("model", "model", "reference", "tie")]
    assert majority_verdicts(four) == verdicts_of("tie"), "two of four are no majority"


def test_the_verdict_on_an_item_is_the_sign_of_its_lead() -> None:
    assert [verdict_of(preference) for preference in (0.25, -0.5, 0.0, -0.0, math.nan)] == [
        "model",
        "reference",
        "tie",
        "tie",
        None,
    ]


def test_kinds_of_criteria_without_an_f1_are_not_in_the_mean() -> None:
    """Nothing of kind y is unmet, and resamples without the first conversation have no F1 at all"""
    pairs = [
        *(Pair("one", "x", verdict, label) for verdict, label in ((True, True), (False, False))),
        *(Pair(name, "y", True, True) for name in ("two", "three")),
    ]
    found = compare_labels("own", None, pairs, HOW)
    assert (found.by_criterion.value, found.with_f1, found.categories) == (1.0, 1, 2)
