"""What became of rows that came in: those dropped go to a side file, all is counted and told."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from alpacare.core import jsonl
from alpacare.core.errors import BadInput
from alpacare.records.dropped import Dropped

DROPPED = Path("data/dropped")
_SHOWN = 3  # rows of one reason whose places and troubles are printed
# counts that are no repair: what they are, and how their names end
_NO_REPAIR = (
    ("not read", " not read"),
    ("left as they are", ", and stay so"),
    ("model unknown", ": model unknown"),
)
_COUNTED = ("no_instruction", "no_response", "same_task", "no_such_question")  # these say all


def write_dropped(path: Path, dropped: Sequence[Dropped]) -> None:
    """Write the rows that did not get into data/FOLDER/NAME.jsonl beside it."""
    jsonl.write(_side_file(path), dropped)


def describe_dropped(path: Path, dropped: Sequence[Dropped]) -> Iterator[str]:
    """Count dropped rows by reason; say of those that could not be read where and why."""
    for line in _by_reason(dropped):
        yield f"dropped: {line}"
    if dropped:
        yield f"         each is in {_side_file(path)}"


def describe_repairs(repairs: Counter[str]) -> Iterator[str]:
    """Count what was done to rows that stay, and what was not: only a repair is called one."""
    for what, times in (+repairs).items():
        done, ending = next((each for each in _NO_REPAIR if what.endswith(each[1])), ("", ""))
        yield f"{done or 'repaired'}: {what.removesuffix(ending)} ({times:,})"


def none_left(place: str, dropped: Sequence[Dropped]) -> BadInput:
    """Give the error of a file without a row that can be used."""
    reasons = ", ".join(_by_reason(dropped)) or "it has none"
    return BadInput(f"{place}: not one row can be used ({reasons}); nothing was written")


def _by_reason(dropped: Sequence[Dropped]) -> Iterator[str]:
    witnesses: defaultdict[str, list[str]] = defaultdict(list)
    for row in dropped:
        witnesses[row.reason].append(row.witness)
    for reason, found in witnesses.items():
        shown = found[:_SHOWN] if reason not in _COUNTED else []
        more = f"; and {len(found) - _SHOWN:,} more" if shown and len(found) > _SHOWN else ""
        yield f"{len(found):,} {reason}{': ' if shown else ''}{'; '.join(shown)}{more}"


def _side_file(path: Path) -> Path:
    return DROPPED / path.parent.name / path.name
