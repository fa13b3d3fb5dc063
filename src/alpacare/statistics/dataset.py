"""Everything that can be told of one dataset, as figures and as tables."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ConfigDict

from alpacare.filtering.tokens import unseen
from alpacare.records.labels import canonical_difficulty, canonical_type
from alpacare.records.task import Question
from alpacare.statistics.counts import (
    Found,
    count_pairs,
    describe_verbs,
    ranked,
    share,
    spread,
    top_pairs,
)
from alpacare.statistics.generations import ends_unfinished
from alpacare.statistics.lengths import length_bins, score_bins, summarise, words
from alpacare.statistics.refusals import refuses

KINDS = ("type", "topic", "view", "difficulty")
_LISTED = 100  # values of a kind in the table; topics and views are written freely

Table = list[tuple[object, ...]]


class Described(Question):
    """A row of any dataset: a seed, a kept instruction, a response, or what was brought in.

    What is not known is null. A type or difficulty that is none of ours is not known.
    """

    model_config = ConfigDict(extra="ignore")

    type: Any = None
    topic: Any = None
    view: Any = None
    difficulty: Any = None
    output: str | None = None
    finish_reason: str | None = None

    def kind(self, field: str) -> str | None:
        """Give the row's type, topic, view or difficulty as text."""
        value = getattr(self, field)
        if field == "difficulty":
            value = canonical_difficulty(value)
            return None if value is None else str(value)
        if not isinstance(value, str) or not value.strip():
            return None
        return canonical_type(value) if field == "type" else value.strip()


@dataclass(frozen=True)
class Nearest:
    """Highest ROUGE-L F with another row, and with a seed, of the rows that were looked at."""

    rows: Sequence[float]
    seeds: Sequence[float] | None


def describe(rows: Sequence[Described], verbs: Sequence[Found], nearest: Nearest) -> dict[str, Any]:
    """Give the figures; what the rows say nothing of is null. docs/dataset.md defines each.

    `verbs` holds each row's root verb and object, `nearest` its nearest rows.
    """
    n = len(rows)
    without = sum(not row.input for row in rows)
    return {
        "rows": n,
        "without_input": without,
        "without_input_share": share(without, n),
        "kinds": {kind: spread(_kinds(rows, kind), n) for kind in KINDS},
        "verbs": describe_verbs(verbs),
        "words": {part: summarise(lengths, 1) for part, lengths in _lengths(rows).items()},
        "answers": describe_answers(rows),
        "nearest": {
            "compared": "instruction",
            "unseen_by_tokenizer": sum(unseen(row.instruction) for row in rows),
            "rows": summarise(nearest.rows, 4),
            "seeds": None if nearest.seeds is None else summarise(nearest.seeds, 4),
        },
    }


def describe_answers(rows: Iterable[Described]) -> dict[str, Any] | None:
    """Say how many answers are cut off, unfinished or refused; None if there are no answers."""
    answered = [(row.output, row.finish_reason) for row in rows if row.output is not None]
    known = [reason for _, reason in answered if reason not in (None, "", "unknown")]
    cut_off, n = known.count("length"), len(answered)
    unfinished = sum(ends_unfinished(output) for output, _ in answered)
    refused = sum(refuses(output) for output, _ in answered)
    if not answered:
        return None
    return {
        "rows": n,
        "finish_known": len(known),
        "cut_off": cut_off if known else None,
        "cut_off_share": share(cut_off, len(known)),
        "unfinished": unfinished,
        "unfinished_share": share(unfinished, n),
        "refused": refused,
        "refused_share": share(refused, n),
        "empty": sum(not output.strip() for output, _ in answered),
    }


def kinds_table(rows: Sequence[Described]) -> Table:
    """Give (field, value, rows), most frequent first; a line without a value counts the rest."""
    table: Table = []
    for kind in KINDS:
        counts = _kinds(rows, kind)
        table += [(kind, value, count) for value, count in counts[:_LISTED]]
        if rest := sum(count for _, count in counts[_LISTED:]):
            table.append((kind, "", rest))
    return table


def verbs_table(verbs: Iterable[Found]) -> Table:
    """Give (verb, object, rows) of the 20 most frequent verbs with four objects each."""
    return list(top_pairs(count_pairs(verbs)))


def lengths_table(rows: Sequence[Described]) -> Table:
    """Give (text, from, to, rows): bins of lengths in words."""
    lengths = _lengths(rows).items()
    return [(part, *one) for part, values in lengths for one in length_bins(values)]


def nearest_table(nearest: Nearest) -> Table:
    """Give (among, from, to, rows): bins of the highest ROUGE-L F."""
    sides = {"rows": nearest.rows, "seeds": nearest.seeds or ()}
    return [(side, *one) for side, scores in sides.items() for one in score_bins(scores)]


def _kinds(rows: Iterable[Described], kind: str) -> list[tuple[str, int]]:
    return ranked(value for row in rows if (value := row.kind(kind)) is not None)


def _lengths(rows: Sequence[Described]) -> dict[str, list[int]]:
    """Count words; of the inputs, those that there are."""
    return {
        "instruction": [words(row.instruction) for row in rows],
        "input": [words(row.input) for row in rows if row.input],
        "output": [words(row.output) for row in rows if row.output is not None],
    }
