"""What a verifier's replies make of the rows: kept, marked or dropped."""

from collections.abc import Sequence
from dataclasses import dataclass

from alpacare.llm.reply import Answer
from alpacare.records.answer_check import AnswerCheck, PlantedError
from alpacare.records.dropped import Dropped
from alpacare.records.response import Response
from alpacare.verification.checking import VerifiedSettings
from alpacare.verification.planted_errors import Planted
from alpacare.verification.verdict import read_finding

WRONG = "answer_wrong"  # drop reason


@dataclass(frozen=True)
class Verified:
    """The rows that stay, and those dropped, each with the verifier's words as witness."""

    kept: list[Response]
    dropped: list[Dropped]


def read_checks(
    rows: Sequence[Response], planted: Sequence[Planted], answers: Sequence[Answer]
) -> list[AnswerCheck]:
    """Read the replies: first those to `rows`, then those to the planted copies."""
    asked: list[tuple[str, PlantedError | None]] = [(row.id, None) for row in rows]
    asked += [(each.row.id, each.error) for each in planted]
    checks = []
    for (id, error), answer in zip(asked, answers, strict=True):
        finding, words = read_finding(answer.text)
        checks.append(
            AnswerCheck(
                id=id, planted=error, finding=finding, error=words if finding == "wrong" else "",
                raw=answer.text.strip(), request=answer.key,
            )
        )  # fmt: skip
    return checks


def apply_checks(
    rows: Sequence[Response], checks: Sequence[AnswerCheck], settings: VerifiedSettings
) -> Verified:
    """Drop or mark each row that was found wrong; one with an unreadable reply stays, marked."""
    found = {check.id: check for check in checks if not check.planted}
    kept: list[Response] = []
    dropped: list[Dropped] = []
    for row in rows:
        check = found[row.id]
        if check.finding == "wrong" and settings.action == "drop":
            dropped.append(Dropped(id=row.id, stage="verified", reason=WRONG, witness=check.error))
        else:
            kept.append(row.model_copy(update={"checked": check.finding or "unreadable"}))
    return Verified(kept, dropped)
