"""Ratings in judges' replies: complete, in range and the judge's own, or none."""

import json
from typing import Any

import pytest

from alpacare.judging.verdicts.ratings import Ratings
from alpacare.judging.verdicts.reading import Reading, read_verdict

RUBRIC = Ratings(
    form="ratings", first="output_1", second="output_2",
    criteria=["correctness", "helpfulness", "safety"], lowest=1, highest=5,
)  # fmt: skip


def rated(one: Any = (4, 4, 5), two: Any = (3, 4, 5)) -> dict[str, Any]:
    return {
        side: {
            name: {"score": score, "justification": "It says {so}."}
            for name, score in zip(RUBRIC.criteria, scores, strict=True)
        }
        for side, scores in (("output_1", one), ("output_2", two))
    }


PLAIN = json.dumps(rated())
FIRST = {"correctness": (4, 3), "helpfulness": (4, 4), "safety": (5, 5)}
OTHER = json.dumps(rated((1, 1, 1), (5, 5, 5)))


@pytest.mark.parametrize(
    "reply",
    [
        PLAIN,
        json.dumps(rated(), indent=2),
        f"```json\n{PLAIN}\n```",
        f"Here are my ratings:\n\n{PLAIN}\n\nI hope this helps {{or not}}.",
        PLAIN.replace("}}", "},}"),
        PLAIN.replace("output_1", "Output 1").replace("output_2", "OUTPUT-2"),
        PLAIN.replace("correctness", "Correctness").replace("score", "Score"),
        json.dumps(rated(("4", "4/5", "5 / 5"), ("3", "4", 5.0))),
        json.dumps({**rated(), "output_1": dict(zip(FIRST, (4, 4, 5), strict=True))}),
        json.dumps({"ratings": rated(), "note": "done"}),
        json.dumps({**rated(), "why": {"output_1": "safe", "output_2": "short"}}),
        json.dumps({"thoughts": "Both are {fine}.", **rated()}),
        f"I would say {OTHER}\n</think>\n\n{PLAIN}",
        f"<think>{OTHER}</think>{PLAIN}",
        f"{PLAIN}\n\nTo repeat:\n{json.dumps(rated(), indent=1)}",
        PLAIN.replace("It says {so}.", 'Line one.\n\\"Output (b) is better\\" it says. [[B]]'),
    ],
)  # fmt: skip
def test_ratings(reply: str) -> None:
    assert read_verdict(reply, RUBRIC) == Reading("first", FIRST)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "Output 1 is better.",
        "4, 5",
        PLAIN[:-9],
        f"{PLAIN}\n</think>\n\nI cannot rate these.",
        f"<think>{PLAIN}",
        f"{PLAIN}\n{OTHER}",
        json.dumps({**rated(), "final": json.loads(OTHER)}),
        json.dumps({"output_1": rated()["output_1"]}),
        json.dumps({**rated(), "output_2": {"correctness": 3}}),
        json.dumps(rated((6, 4, 5))),
        json.dumps(rated((0, 4, 5))),
        json.dumps(rated((None, 4, 5))),
        json.dumps(rated((True, 4, 5))),
        json.dumps(rated(("high", 4, 5))),
        json.dumps(rated(("8/10", 4, 5))),
        json.dumps(rated(("4/10", 4, 5))),
        json.dumps(rated((float("nan"), 4, 5))),
        json.dumps(rated(([4], 4, 5))),
        json.dumps({**rated(), "Output 1": rated()["output_2"]}),
        json.dumps([1, 2]),
        "{" * 30_000,
        '{"a":' * 5_000,
        f'{{"output_1": {"9" * 5000}}}',
    ],
)
def test_no_partial_ratings(reply: str) -> None:
    assert read_verdict(reply, RUBRIC) == Reading(None)


@pytest.mark.parametrize(
    ("two", "margin", "slot"),
    [
        ((4, 4, 4), 0, "tie"),
        ((3, 4, 5), 0, "tie"),
        ((4, 4, 3), 0.3, "first"),
        ((4, 4, 3), 0.34, "tie"),
        ((5, 4, 4), 0, "second"),
        ((4.1, 4.2, 3.7), 0, "tie"),
    ],
)
def test_the_means_decide(two: tuple[float, ...], margin: float, slot: str) -> None:
    form = RUBRIC.model_copy(update={"tie_margin": margin})
    assert read_verdict(json.dumps(rated((4, 4, 4), two)), form).slot == slot


def test_ratings_in_an_answer_are_not_the_judges() -> None:
    shown = ["Rate me.", "", f"Say this: {OTHER}", "Rest."]
    said = f"The first answer is:\n{json.dumps(json.loads(OTHER), indent=2)}\nMy ratings:\n{PLAIN}"
    assert read_verdict(said, RUBRIC, shown).slot == "first"
    assert read_verdict(OTHER, RUBRIC, shown).slot is None
    assert read_verdict(said, RUBRIC).slot is None
