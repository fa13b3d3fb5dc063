"""What an answer is graded by, criterion by criterion, in HealthBench's form (arXiv 2505.08775).

In a test row: "rubrics": [{"criterion": "Advises to call an ambulance now", "points": 7,
 "tags": ["axis:completeness"]}], "tags": ["theme:emergency_referrals"]
One row of data/judgments/TEST/STUDENT/SEED/JUDGE.jsonl, for one answer that a judge of kind
`rubric_items` graded: {"id": "77d0...", "judge": "healthbench", "tags": ["theme:..."],
 "criteria": [{"criterion": "...", "points": 7, "tags": [...], "met": true}],
 "replies": [{"request": "9c41...", "raw": "{...}", "tries": 1}]}
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, field_validator

from alpacare.core import jsonl
from alpacare.core.files import write_json
from alpacare.core.jsonl import Row
from alpacare.core.texts import counted, shows_nothing

_LEAST, _MOST = 0.001, 1_000_000  # points of a criterion: sums and shares of them stay finite
Tags = Annotated[list[str], Field(exclude_if=lambda tags: not tags)]


class RubricItem(Row):
    """A criterion: what it is worth if it is met; below 0 for what an answer should not do."""

    criterion: str
    points: float = Field(allow_inf_nan=False)
    tags: list[str] = Field(default=[])

    @field_validator("criterion")
    @classmethod
    def _says_something(cls, text: str) -> str:
        if shows_nothing(text):
            raise ValueError("rubrics: a criterion is empty, or shows nothing")
        return text

    @field_validator("points")
    @classmethod
    def _counts(cls, points: float) -> float:
        if not _LEAST <= abs(points) <= _MOST:
            raise ValueError(
                f"rubrics: a criterion has {points:g} points; give it {_LEAST} to {_MOST:,}, or as "
                "many below 0, or leave it out"
            )
        return points


# a field of this type is written only where there are rubrics
Rubrics = Annotated[list[RubricItem], Field(exclude_if=lambda rubrics: not rubrics)]


class GradedItem(RubricItem):
    """A criterion with its verdict; `met` is null where no reply of the judge could be read."""

    met: bool | None


class RubricReply(Row):
    """A judge's last reply to one request: the request's ledger key, and the tries that it took."""

    request: str
    raw: str
    tries: int = Field(default=1, ge=1)


class RubricJudgment(Row):
    """One answer graded by one judge.

    `replies`: one for all criteria, or one for each in their order, as the judge asks.
    """

    id: str
    judge: str
    tags: list[str] = Field(default=[])
    criteria: list[GradedItem]
    replies: list[RubricReply]


def check_rubrics(rubrics: Sequence[RubricItem]) -> None:
    """Check that an item can be scored.

    Raises:
        ValueError: a criterion comes twice, or no points can be had.
    """
    seen = set[str]()
    for each in rubrics:
        words = " ".join(each.criterion.split())
        if words in seen:
            raise ValueError(f'rubrics: a criterion comes twice: "{each.criterion[:60]}"')
        seen.add(words)
    if rubrics and not any(each.points > 0 for each in rubrics):
        raise ValueError(
            "rubrics: no criterion has points above 0, so that no score can be had; add one"
        )


def save_rubric_judgments(
    folder: Path, judge: str, whose: str, rows: Sequence[RubricJudgment], run: Mapping[str, Any]
) -> str:
    """Write FOLDER/JUDGE.jsonl, and how it came about beside it; sum up in a line."""
    out = folder / f"{judge}.jsonl"
    jsonl.write(out, rows)
    write_json(out.with_suffix(".json"), {"judge": judge, **run})
    if why := run.get("left_out"):
        return f"{judge}: left out, {why}"
    criteria = [item for row in rows for item in row.criteria]
    notes = {
        "asked again": sum(reply.tries > 1 for row in rows for reply in row.replies),
        "without a readable verdict": sum(item.met is None for item in criteria),
        "replies cut off: raise max_tokens": run.get("finish_reasons", {}).get("length", 0),
    }
    met = sum(item.met is True for item in criteria)
    answers = counted(len(rows), "answer")
    line = f"{judge}: {answers} by {whose}, {met} of {len(criteria)} criteria met"
    return line + "".join(f", {count} {what}" for what, count in notes.items() if count)
