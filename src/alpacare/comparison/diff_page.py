"""The page of items that flipped: every text and verdict, harmless whatever stands in them."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from alpacare.display.text import plain
from alpacare.evaluation.paired_comparison import Flip
from alpacare.records.generation import Generation
from alpacare.records.judgment import Judgment

Answers = Mapping[str, Generation]


@dataclass(frozen=True)
class Side:
    """What one version knows of one cell; no answers where their file cannot be had."""

    judgments: Sequence[Judgment]
    generations: Answers
    reference: Answers


def count_directions(flips: Sequence[Flip]) -> str:
    """Count flips by direction: "3 loss to win, 1 win to tie"."""
    counts = Counter(f"{flip.then} to {flip.now}" for flip in flips)
    return ", ".join(f"{count} {direction}" for direction, count in counts.most_common())


def write_section(title: str, flips: Sequence[Flip], then: Side, now: Side) -> Iterator[str]:
    """Give the Markdown lines of one cell."""
    yield f"## {title}"
    yield f"{len(flips)} items flipped: {count_directions(flips)}." if flips else "No item flipped."
    for number, flip in enumerate(flips, start=1):
        yield f"### {number}. {flip.then} to {flip.now}"
        yield from _texts(flip.id, then, now)
        yield from _verdicts("then", flip.id, then.judgments)
        yield from _verdicts("now", flip.id, now.judgments)


def _texts(id: str, then: Side, now: Side) -> Iterator[str]:
    task = now.generations.get(id) or then.generations.get(id)
    if task:
        yield from _block("Instruction", task.instruction)
        if task.input:
            yield from _block("Input", task.input)
    yield from _block("Student then", _answer(then.generations, id))
    yield from _block("Student now", _answer(now.generations, id))
    before, after = _answer(then.reference, id), _answer(now.reference, id)
    if before != after:
        yield from _block("Reference then", before)
    yield from _block("Reference now" if before != after else "Reference", after)


def _answer(answers: Answers, id: str) -> str:
    return answers[id].output if id in answers else "(this version's answers cannot be had)"


def _verdicts(when: str, id: str, judgments: Sequence[Judgment]) -> Iterator[str]:
    for row in judgments:
        if row.id == id:
            sample = f", sample {row.sample}" if row.sample else ""
            order = row.order.replace("_", " ").replace("model", "student")
            verdict = (row.verdict or "unreadable").replace("model", "student")
            yield from _block(f"Judge {when}, {order}{sample}: {verdict}", row.raw)


def _block(label: str, text: str) -> Iterator[str]:
    """Fence a text with more backticks than stand in it anywhere."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    yield f"{label}:"
    yield f"{fence}text\n{plain(text)}\n{fence}"
