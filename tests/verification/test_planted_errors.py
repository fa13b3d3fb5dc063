"""Errors planted by rule: each known, one an answer, the kinds in turn, the same every time."""

from collections import Counter

import pytest

from alpacare.records.response import Response
from alpacare.verification.planted_errors import KINDS, plant_errors
from alpacare.verification.verdict import read_finding


def row(number: int, output: str) -> Response:
    return Response(
        id=f"{number:016x}", instruction="x", input="", output=output, finish_reason="stop",
        model="m", request="r",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "kind", "changed"),
    [
        ("Take 2.5 mL now.", "dose", "Take 25 mL now."),
        ("Take 0.25 mg now.", "dose", "Take 2.5 mg now."),
        ("Give 5-10 units.", "dose", "Give 5-100 units."),
        ("Give 1,000 mg.", "unit", "Give 1,000 mcg."),  # the dose: in doubt none
        ("The left-sided pain.", "laterality", "The right-sided pain."),
        ("Left leg first.", "laterality", "Right leg first."),
        ("Aspirin isn\u2019t safe.", "negation", "Aspirin is safe."),
        ("You cannot stop.", "negation", "You can stop."),
        ("It is not all. Rest must help.", "negation", "It is not all. Rest must not help."),
        ("He is well.", "negation", "He is not well."),
        ("Here is why. There is no fever. He is well.", "negation",
         "Here is why. There is no fever. He is not well."),
        ("What are the signs? It may not help. That is why he should rest.", "negation",
         "What are the signs? It may not help. That is why he should not rest."),
        ("The left and right lungs; RIGHT LUNG.", "laterality",
         "The left and right lungs; LEFT LUNG."),
        ("From 0.0 mg to 0.5 mg.", "dose", "From 0.0 mg to 5 mg."),
    ],
)  # fmt: skip
def test_a_rule_changes_the_first_place_that_fits(answer: str, kind: str, changed: str) -> None:
    (planted,) = plant_errors([row(1, answer)], 1, 0)
    assert (planted.error.kind, planted.row.output) == (kind, changed)


@pytest.mark.parametrize(
    "answer",
    [
        *("You were right.", "Turn left, then right there.", "Day 5. Room 12.", "", "5 mgs"),
        *("Give 0,5 ml.", "He left early, the right legal step.", "Is it? Here are three tips:"),
    ],
)
def test_where_no_rule_fits_nothing_is_planted(answer: str) -> None:
    assert plant_errors([row(1, answer)], 5, 0) == []


def test_kinds_take_turns_and_seeds_choose() -> None:
    rows = [row(n, f"Give {n} mg in the left arm; it is safe.") for n in range(1, 41)]
    planted = plant_errors(rows, 20, 0)
    assert Counter(each.error.kind for each in planted) == dict.fromkeys(KINDS, 5)
    assert plant_errors(list(reversed(rows)), 20, 0) == list(reversed(planted))
    assert plant_errors(rows, 20, 1) != planted
    assert len(plant_errors(rows, 100, 0)) == 40  # one an answer


@pytest.mark.parametrize(
    ("reply", "finding"),
    [
        ('{"verdict": "right"}', "right"),
        ("**Verdict:** WRONG.", "wrong"),
        ("Verdict: wrong\n\nRight dose is 5 mg.", "wrong"),
        ("Verdict: wrong. Right would be 5 mg", "wrong"),
        ('{"verdict":"wrong"}\n\nWrong: "50 mg"', "wrong"),
        ('{"own_answer":"x","verdict":"wrong","right":"5 mg"}', "wrong"),
        ("Verdict: right. If in doubt, ask.", "right"),
        ("The verdict is wrong | error: 50 mg", "wrong"),
        ('"verdict": "right" or "wrong"', None),
        ("verdict: right/wrong", None),
        ('"verdict": "right" | "wrong"', None),
        ("The verdict is right if there is no such error, else wrong.", None),
        ("The verdict is not right.", None),
        ("Verdict: right-sided pneumonia", None),
        ("verdict: right\nverdict: wrong", None),
        ("It is right.", None),
        ("", None),
    ],
)
def test_a_reply_is_read_or_left(reply: str, finding: str | None) -> None:
    assert read_finding(reply)[0] == finding
