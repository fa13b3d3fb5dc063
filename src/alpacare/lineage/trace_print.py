"""What `alpacare trace` found, as people read it: a block a stage, one line a fact."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

from alpacare.display.text import name_some, plain
from alpacare.evaluation.score_table import percent

Part = Mapping[str, Any]

_INDENT = 14
_WIDTH = 100
_ENDS = {"stop": "ended by itself", "length": "cut off", "unknown": "how it ended is not known"}


def print_trace(story: Part) -> None:
    """Print a story as `trace` tells it."""
    task = story["task"]
    click.echo(f"{story['id']}  {_short(task['instruction'], 30) if task else ''}".rstrip())
    if task and task["input"]:
        _block("input", [_short(task["input"])])
    if "seeds" in story:
        _block("seeds", _as_seed(story["seeds"]))
    if "instructions" in story:
        _block("instructions", _written(story["instructions"]))
    if "filtered" in story:
        _block("filtered", _filtered(story["filtered"]))
    if "responses" in story:
        _block("responses", _answered(story["responses"]))
    if "checkpoint" in story:
        _block("checkpoint", [_learned(story["checkpoint"])])
    for trial in story.get("tests", []):
        _print_trial(trial)
    if lacks := story["not_here"]:
        click.echo(f"not here: {name_some(lacks)}; `dvc pull` or `make repro` brings them")


def _block(name: str, lines: Iterable[str]) -> None:
    for number, line in enumerate(lines):
        click.echo(f"{name if number == 0 else '':<{_INDENT}} {line}".rstrip())


def _short(text: str, taken: int = _INDENT + 1) -> str:
    """Show the start of a text on one line."""
    line, room = plain(" ".join(text.split())), _WIDTH - taken
    return line if len(line) <= room else f"{line[: room - 4].rstrip()} ..."


def _as_seed(seed: Part) -> Iterator[str]:
    ids = seed["instructions"]
    yield f"a seed task; requests that showed it: {seed['requests']}, instructions: {len(ids)}"
    if ids:
        yield name_some(ids)


def _written(part: Part) -> Iterator[str]:
    if "brought_in" in part:
        yield f"brought in: row {part['row']} of {part['brought_in']}"
        return
    for seed in part["seeds"] or []:
        yield f"shown {seed['id']}  {_short(seed['instruction'] or '(not here)', _INDENT + 25)}"
    yield f"task {part['index'] + 1} in the reply to {_request(part['request'])}"
    if "dropped" in part:
        yield from _dropped(part["dropped"])


def _filtered(part: Part) -> Iterator[str]:
    if part.get("kept"):
        yield "kept"
    else:
        yield from _dropped(part["dropped"])


def _answered(part: Part) -> Iterator[str]:
    if "brought_in" in part:
        yield f"brought in: row {part['row']} of {part['brought_in']}"
    elif "dropped" in part:
        yield f"answered by {_request(part['request'])}"
        yield from _dropped(part["dropped"])
    else:
        yield f"by {plain(part['model'])}, {_end(part)}: {_request(part['request'])}"
        yield _short(part["output"])


def _dropped(part: Part) -> Iterator[str]:
    score = "" if part["score"] is None else f", score {part['score']:.4f}"
    yield f"dropped: {part['reason']}{score}; witness:"
    if part["witness_text"] is None:
        yield _short(part["witness"])
    else:
        named = f"{part['witness']}  "
        yield named + _short(part["witness_text"], _INDENT + 1 + len(named))


def _request(request: Part) -> str:
    name = f"request {request['key'][:12]}"
    if request["held_by"] is None:
        return f"{name} (neither in the ledger here nor in data/recordings)"
    paid = "nobody paid" if request["dollars"] is None else f"${request['dollars']:.6f}"
    return (
        f"{name} ({plain(request['model'])}, {request['received'][:10]}, {paid}, in "
        f"{request['held_by']})"
    )


def _end(answer: Part) -> str:
    reason = answer["finish_reason"]
    return _ENDS.get(reason, plain(reason))


def _learned(part: Part) -> str:
    place = f"row {part['row']} of {part['of']} in {part['file']}"
    if part["use"] is None:
        return f"{place}; whether it was trained on cannot be told: {part['why']}"
    if part["use"] == "dropped":
        return f"{place}; dropped: {part['why']}"
    how = {True: ", truncated", False: ", whole", None: ""}[part["truncated"]]
    return f"{place}; {part['use']}{how}"


def _print_trial(trial: Part) -> None:
    _block("test set", [trial["test"]])
    if answer := trial["generation"]:
        _block("generation", _said("student", answer))
    names = [name for name in trial["references"] if trial["references"][name]]
    lines = [_said(name, trial["references"][name]) for name in names]
    _block("references", [line for pair in lines for line in pair])
    judged = [each for each in trial["judgments"] if each["verdicts"]]
    _block("judgments", [line for each in judged for line in _judged(each)])


def _said(name: str, answer: Part) -> Sequence[str]:
    tokens = "" if answer["tokens"] is None else f", {answer['tokens']} tokens"
    left_out = answer["input_left_out"]
    shorter = f", {left_out} tokens of its input left out" if left_out else ""
    return [f"{name}: {_end(answer)}{tokens}{shorter}", _short(answer["output"])]


def _judged(part: Part) -> Iterator[str]:
    """Tell both orders, what the item counts, and the cell's score."""
    points = "void" if part["points"] is None else f"{part['points']:g} of 1 point"
    yield f"{part['judge']}, student against {part['reference']}: {points}{_cell(part['score'])}"
    for verdict in part["verdicts"]:
        said = verdict["verdict"] or "unreadable"
        order = verdict["order"].replace("_", " ")
        line = f"  {order:<15} {said:<10} "
        yield line + _short(verdict["raw"], _INDENT + 1 + len(line))
        if verdict["request"]:
            yield f"    {_request(verdict['request'])}"


def _cell(score: Part | None) -> str:
    if score is None or score["win_rate"] is None:
        return ""
    interval = f"{percent(score['ci_low'])} to {percent(score['ci_high'])}"
    items = f"{score['n_valid']}/{score['n']} items"
    return f"; the cell: {percent(score['win_rate'])} % ({interval}), {items}"
