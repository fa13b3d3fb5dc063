"""The description of one dataset, as figures and as tables."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from alpacare.filtering.tokens import mostly_unseen
from alpacare.records.label_normalisation import normalise_difficulty, normalise_type
from alpacare.records.task import AnyTask
from alpacare.statistics import counts
from alpacare.statistics.generations import ends_unfinished
from alpacare.statistics.lengths import count_words, length_bins, score_bins, summarise
from alpacare.statistics.refusals import refuses

KINDS = ("type", "topic", "view", "difficulty")
_LISTED = 100  # values of a kind in the table; topics and views are free text

Table = list[tuple[object, ...]]


class DatasetRow(AnyTask):
    """A row of any dataset: a seed, a kept instruction, a response or an imported row.

    Unknown values are null. An unknown type or difficulty counts as not given.
    """

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
            value = normalise_difficulty(value)
            return None if value is None else str(value)
        if not isinstance(value, str) or not value.strip():
            return None
        return normalise_type(value) if field == "type" else value.strip()


@dataclass(frozen=True)
class NearestScores:
    """Each row's highest ROUGE-L F: with another row, or with a seed."""

    rows: Sequence[float] = ()
    seeds: Sequence[float] = ()


def describe_dataset(
    rows: Sequence[DatasetRow], verbs: Sequence[counts.RootVerb], nearest: NearestScores
) -> dict[str, Any]:
    """Give the figures, null where the rows have no values. docs/dataset.md defines each.

    `verbs` holds each row's root verb and object.
    """
    n = len(rows)
    without = sum(not row.input for row in rows)
    return {
        "rows": n,
        "without_input": without,
        "without_input_share": counts.share(without, n),
        "kinds": {kind: counts.describe_spread(_kinds(rows, kind), n) for kind in KINDS},
        "verbs": counts.describe_verbs(verbs),
        "words": {part: summarise(lengths, 1) for part, lengths in _lengths(rows).items()},
        "answers": describe_answers(rows),
        "nearest": {
            "compared": "instruction",
            "unseen_by_tokenizer": sum(mostly_unseen(row.instruction) for row in rows),
            "rows": summarise(nearest.rows, 4),
            "seeds": summarise(nearest.seeds, 4),
        },
    }


def describe_answers(rows: Iterable[DatasetRow]) -> dict[str, Any] | None:
    """Count answers that are cut off, unfinished or refused; None if there are no answers."""
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
        "cut_off_share": counts.share(cut_off, len(known)),
        "unfinished": unfinished,
        "unfinished_share": counts.share(unfinished, n),
        "refused": refused,
        "refused_share": counts.share(refused, n),
        "empty": sum(not output.strip() for output, _ in answered),
    }


def make_tables(
    rows: Sequence[DatasetRow], verbs: Iterable[counts.RootVerb], nearest: NearestScores
) -> dict[str, Table]:
    """Give the tables by name, each with its header; docs/dataset.md defines them."""
    lengths = _lengths(rows).items()
    sides = (("rows", nearest.rows), ("seeds", nearest.seeds))
    return {
        "kinds": [("field", "value", "rows"), *_count_kinds(rows)],
        "verbs": [("verb", "object", "rows"), *counts.top_pairs(counts.count_pairs(verbs))],
        "lengths": [
            ("text", "from", "to", "rows"),
            *((part, *one) for part, values in lengths for one in length_bins(values)),
        ],
        "nearest": [
            ("among", "from", "to", "rows"),
            *((side, *one) for side, scores in sides for one in score_bins(scores)),
        ],
    }


def _count_kinds(rows: Sequence[DatasetRow]) -> Iterator[tuple[str, str, int]]:
    """Yield (field, value, rows), most frequent first; a line without a value counts the rest."""
    for kind in KINDS:
        ranked = _kinds(rows, kind)
        yield from ((kind, value, count) for value, count in ranked[:_LISTED])
        if rest := sum(count for _, count in ranked[_LISTED:]):
            yield kind, "", rest


def _kinds(rows: Iterable[DatasetRow], kind: str) -> list[tuple[str, int]]:
    return counts.rank_values(value for row in rows if (value := row.kind(kind)) is not None)


def _lengths(rows: Sequence[DatasetRow]) -> dict[str, list[int]]:
    """Count words; empty inputs and missing outputs are left out."""
    return {
        "instruction": [count_words(row.instruction) for row in rows],
        "input": [count_words(row.input) for row in rows if row.input],
        "output": [count_words(row.output) for row in rows if row.output is not None],
    }
