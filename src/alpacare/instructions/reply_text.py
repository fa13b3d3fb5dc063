"""Tasks in a reply that is text: its sections, their tasks, and the fields in the tasks."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from textwrap import dedent

from alpacare.instructions.label_reader import LONG, Label, LabelReader, most_frequent_order
from alpacare.instructions.reply_lines import (
    find_headings,
    find_labels,
    heading_lines,
    is_blank,
    is_fence,
    split_lines,
)

_QUOTES = (("**", "**"), ("*", "*"), ("`", "`"), ('"', '"'), ("“", "”"), ("'", "'"))
# A model's closing words after its last task: they mention the tasks, or follow a rule, since an
# input may be a message that ends in "Let me know".
_AFTER_RULE = re.compile(
    r"[#*_\s(]*(?:(?:i )?hope|(?:please )?let me know|feel free|would you|if you|note|end of)\b",
    re.IGNORECASE,
)
_ABOUT_TASKS = re.compile(
    rf"(?={_AFTER_RULE.pattern}|[#*_\s(]*(?:i|i've|the|these|those|all|each|this|that)\b)"
    r".*\b(?:these|more|each|the|all|of) (?:\w+ ){0,3}tasks?\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Block:
    """A part of a reply that is one task, or should be one.

    `fields` by name, as written; `unfinished` if the reply ends within it.
    """

    text: str
    fields: dict[str, str]
    unfinished: bool = False


@dataclass(frozen=True)
class _Span:
    """Lines [start, end) of a reply, and the labels that open the fields of the task in them."""

    start: int
    end: int
    labels: list[Label]


def read_blocks(reply: str) -> list[Block]:
    """Split a reply into blocks, in order; what precedes the first task is omitted.

    Every label of the reply, and everything under a task's heading, is in a block.
    """
    lines = split_lines(reply)
    labels = find_labels(lines)
    spans = _spans(len(lines), labels, find_headings(lines, labels))
    fenced = _odd_fences(lines[: spans[0].start]) if spans else False
    blocks = []
    for span in spans:
        block, fenced = _block(lines, span, fenced, is_last=span is spans[-1])
        blocks.append(block)
    if blocks and _is_unfinished(blocks):
        blocks[-1] = Block(blocks[-1].text, blocks[-1].fields, unfinished=True)
    return blocks


def _spans(size: int, labels: Sequence[Label], headings: Sequence[int]) -> list[_Span]:
    """Split a reply of `size` lines at its headings, and the sections at their tasks."""
    sections = [(start + 1, end) for start, end in pairwise([-1, *headings, size])]
    places = [label.line for label in labels]
    inside = [labels[bisect_left(places, a) : bisect_left(places, b)] for a, b in sections]
    mark = labels[0].mark if labels else ""
    reader = LabelReader(most_frequent_order(inside, mark), mark)
    readings = [reader.read(section, is_last=section is inside[-1]) for section in inside]
    marked = heading_lines([task[0] for tasks in readings for task in tasks])
    spans: list[_Span] = []
    for (start, end), tasks in zip(sections, readings, strict=True):
        starts = [start, *(task[0].line for task in tasks[1:])]
        ends = [*(marked.get(line, line) for line in starts[1:]), end]
        spans += map(_Span, starts, ends, tasks)
        if not tasks and start > 0:
            spans.append(_Span(start, end, []))
    return spans


def _block(lines: Sequence[str], span: _Span, fenced: bool, is_last: bool) -> tuple[Block, bool]:
    """Make the block of a span; return whether the next begins inside a fence, as this may."""
    top = span.labels[0].line if span.labels else span.start
    fenced ^= _odd_fences(lines[span.start : top])
    # the last field begins after its label, where a fence may be too
    bottom = span.labels[-1].line if span.labels else span.start
    below = [*lines[bottom : span.end]]
    below[:1] = [label.value for label in span.labels[-1:]] or below[:1]
    own, fenced = _without_fences(below, fenced)
    if is_last:
        own = _without_closing(own)
    end = bottom + max(len(own), len(span.labels[-1:]))
    edges = pairwise([*(label.line for label in span.labels), end])
    fields = {
        label.name: _field(label, lines[start + 1 : stop])
        for label, (start, stop) in zip(span.labels, edges, strict=True)
    }
    return Block("\n".join(lines[span.start : end]).strip(), fields), fenced


def _odd_fences(lines: Sequence[str]) -> bool:
    return sum(map(is_fence, lines)) % 2 == 1


def _without_fences(lines: Sequence[str], fenced: bool) -> tuple[Sequence[str], bool]:
    """Give a block's own lines; return whether the next begins inside a fence.

    `fenced`: this block does. Code inside an input keeps its fences, which are two.
    """
    lines = _without_blanks(lines)
    fences = [place for place, line in enumerate(lines) if is_fence(line)]
    odd = len(fences) % 2 == 1
    text = [place for place, line in enumerate(lines) if not is_blank(line) and not is_fence(line)]
    at_end = [place for place in fences[-2:] if place > max(text, default=-1)]
    if fenced and odd:  # the last one closes, and what follows it is not the task's
        return _without_blanks(lines[: fences[-1]]), False
    if fenced and len(at_end) == 2:  # one closes, and one opens the next task
        return _without_blanks(lines[: at_end[0]]), True
    return lines, fenced


def _without_blanks(lines: Sequence[str]) -> Sequence[str]:
    size = len(lines)
    while size and is_blank(lines[size - 1]):
        size -= 1
    return lines[:size]


def _without_closing(lines: Sequence[str]) -> Sequence[str]:
    """Remove the model's closing words, if the last paragraph is that."""
    top = len(lines)
    while top and not is_blank(lines[top - 1]):
        top -= 1
    before = _without_blanks(lines[:top])
    ruled = any(map(str.strip, lines[len(before) : top]))
    last = " ".join(lines[top:])
    closes = _ABOUT_TASKS.match(last) or (ruled and _AFTER_RULE.match(last))
    return before if top and closes else lines


def _field(label: Label, more: Sequence[str]) -> str:
    """Put a field together from the rest of its label's line and the lines below."""
    below = "\n".join(more)
    # below "- Input:" or "   Input:" lines are indented as far; below a bare "Input:" they may be
    width = label.column if label.column > 1 else int(not label.value.strip())
    if width and all(is_blank(line) or line[:width].isspace() for line in more):
        below = dedent(below)
    text = f"{label.value}\n{below}".strip()
    if label.name not in LONG:
        text = re.split(r"\n\s*\n", text, maxsplit=1)[0]
    return _without_quotes(text.strip())


def _without_quotes(text: str) -> str:
    """Remove quotes around the whole text; `"A" or "B"` stays."""
    for left, right in _QUOTES:
        inner = text[len(left) : -len(right)]
        if (
            len(text) > len(left + right)
            and (text[: len(left)], text[-len(right) :]) == (left, right)
            and not {left[0], right[0]} & set(inner)
        ):
            text = inner.strip()
    return text


def _is_unfinished(blocks: Sequence[Block]) -> bool:
    """Return whether the reply visibly ends within its last task.

    Models omit an empty input, but seldom only the last one and after half a sentence.
    """
    *before, last = (block.fields for block in blocks)
    ended = last.get("instruction", "").endswith(tuple(".?!:;)\"'”…]"))
    return "input" not in last and not ended and any("input" in fields for fields in before)
