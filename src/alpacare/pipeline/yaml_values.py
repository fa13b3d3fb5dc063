"""Values of a YAML file replaced in its text, whoever wrote it: a person, or DVC.

`dvc exp apply` writes a list as a line an item and null as nothing, Windows other line ends. Only a
value's own characters are replaced, so all else stays: comments, order, quotes, line ends.
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    CollectionEndEvent,
    CollectionStartEvent,
    Event,
    MappingStartEvent,
    ScalarEvent,
)
from ruamel.yaml.representer import RoundTripRepresenter

from alpacare.core.errors import BadInput

_COMMENT_COLUMN = 34  # in params.yaml; a comment that a long value has moved comes back to it
_COMMENT = re.compile(r"([ \t]*)(#[^\r\n]*)")


class _Span(NamedTuple):
    """Where a value is: after the colon of its key, from `start` to `end`."""

    colon: int
    start: int
    end: int


class _NullAsWord(RoundTripRepresenter):
    """Writes null as a word; a class of its own, as representers belong to classes."""


_NullAsWord.add_representer(
    type(None), lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:null", "null")
)


def change_values(text: str, keys: Iterable[str], wanted: Any, place: str) -> str:
    """Give keys of the text, such as checkpoint.lora, their values in `wanted`; leave the rest.

    `wanted` is the whole document that must come of it. A key that the text lacks is added at the
    end of its section.

    Raises:
        BadInput: a value cannot be replaced where it is, as of an alias; begins with `place`.
    """
    spans = _find_values(text)
    written = {_written_key(key, spans, text) for key in keys}
    known = sorted(written & spans.keys(), key=lambda key: spans[key].colon, reverse=True)
    changed = text
    for key in known:
        changed = _replace(changed, spans[key], _format_value(_value(wanted, key)))
    for key in sorted(written - spans.keys()):
        changed = _add(changed, key, _format_value(_value(wanted, key)))
    if _load(changed) != wanted:
        raise BadInput(
            f"{place}: a value cannot be replaced where it stands; write each of these as one line "
            f"`key: value`: {', '.join(sorted(written))}"
        )
    return changed


def parse_value(text: str, place: str) -> Any:
    """Parse one value of YAML, and keep its spelling: 1e-5 stays so.

    Raises:
        BadInput: it is not YAML; begins with `place`.
    """
    try:
        return round_trip_yaml().load(text)
    except YAMLError:
        raise BadInput(f"{place}: the value is not valid YAML") from None


def _written_key(key: str, spans: Mapping[str, _Span], text: str) -> str:
    """Give what has to be written for a key: it, or the section above that stands on one line."""
    above = key.rpartition(".")[0]
    if key in spans or not above:
        return key
    if above in spans and _is_block(spans[above], text):
        return key
    return _written_key(above, spans, text)


def _is_block(span: _Span, text: str) -> bool:
    return "\n" in text[span.colon : span.start] and text[span.start] not in "{["


def _value(document: Any, key: str) -> Any:
    for part in key.split("."):
        document = document[part]
    return document


def _add(text: str, key: str, value: str) -> str:
    """Add a key behind the last one of its section, or of the text."""
    above, _, last = key.rpartition(".")
    spans = _find_values(text)
    inside = [span for name, span in spans.items() if name.rpartition(".")[0] == above]
    end = max((span.end for span in inside), default=0)
    end = len(text) if not above or "\n" not in text[end:] else text.index("\n", end) + 1
    indent = ""
    if above:
        line = text[: inside[0].colon].rpartition("\n")[2]
        indent = line[: len(line) - len(line.lstrip())]
    newline = "\r\n" if "\r\n" in text else "\n"
    before = text[:end] if text[:end].endswith("\n") or not end else text[:end] + newline
    return f"{before}{indent}{last}: {value}{newline}{text[end:]}"


def round_trip_yaml() -> YAML:
    """Give a reader and writer that keeps comments, quotes and 2.0e-3, and writes null as such."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096  # never break a line
    yaml.Representer = _NullAsWord
    return yaml


def _format_value(value: Any) -> str:
    """Write a value on one line: [a, b], {rank: 16}, null."""
    line, stream = CommentedMap({"value": _plain(value)}), io.StringIO()
    line.fa.set_flow_style()
    round_trip_yaml().dump(line, stream)
    return stream.getvalue().strip().removeprefix("{value: ").removesuffix("}")


def _plain(value: Any) -> Any:
    """Take the comments and the layout out of lists and mappings."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list) else value


def _find_values(text: str) -> dict[str, _Span]:
    """Give the span of every value in the text's mappings, by the names above it."""
    events = YAML(typ="safe", pure=True).parse(text)
    found: dict[str, _Span] = {}
    for event in events:
        if isinstance(event, CollectionStartEvent | ScalarEvent):
            _read_node(text, event, events, "", found)
    return found


def _read_node(
    text: str, event: Event, events: Iterator[Event], above: str, found: dict[str, _Span]
) -> int:
    """Read a node whose first event is given; return where its last character is."""
    if not isinstance(event, CollectionStartEvent):
        return _end(event)
    end = _end(event)
    for each in events:
        if isinstance(each, CollectionEndEvent):
            # of a collection without brackets this mark is where the next thing begins
            return _end(each) if event.flow_style else end
        end = _read_node(text, each, events, "", {})
        if isinstance(event, MappingStartEvent):
            colon, first = text.find(":", end), next(events)
            name = f"{above}{each.value}" if isinstance(each, ScalarEvent) else ""
            start = first.start_mark.index
            end = _read_node(text, first, events, f"{name}.", found)
            if start == end:  # null as nothing has the place of what comes next
                start = end = colon + 1
            end = start + len(text[start:end].rstrip())
            found[name] = _Span(colon, start, end)
    return end


def _end(event: Event) -> int:
    return int(event.end_mark.index)


def _replace(text: str, span: _Span, value: str) -> str:
    """Put a value in the place of another; one of several lines leaves its key's line only."""
    head, gap = text[: span.colon + 1], text[span.colon + 1 : span.start]
    if "\n" not in gap and span.start < span.end:
        return _join(head + gap, text[span.start : span.end], value, text[span.end :])
    after = text[span.end :]
    if "\n" in gap:
        after = gap[: gap.rfind("\n") + 1] + after.partition("\n")[2]
    return _join(f"{head} ", "", value, after.removeprefix(" "))


def _join(before: str, old: str, value: str, after: str) -> str:
    """Put a value between two parts; a comment behind it keeps its column if there is room."""
    comment = _COMMENT.match(after)
    if not comment:
        return before + value + after
    start = len(before) - before.rfind("\n") - 1
    column = min(start + len(old) + len(comment[1]), _COMMENT_COLUMN)
    gap = max(1, column - start - len(value))
    return before + value + " " * gap + comment[2] + after[comment.end() :]


def _load(text: str) -> Any:
    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError:
        return None
