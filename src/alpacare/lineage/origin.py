"""How a training row came about: seeds, the teacher's reply, the filter, the teacher's answer."""

from pathlib import Path
from typing import Any

from alpacare.lineage.requests import describe
from alpacare.lineage.rows import ID, Found, Shelf
from alpacare.pipeline import paths
from alpacare.pipeline.dvc_yaml import dependencies
from alpacare.pipeline.params import Params

Part = dict[str, Any]


def follow(id: str, params: Params, shelf: Shelf) -> dict[str, Part]:
    """Tell what the stages before training did with a row, by stage; those it never met are absent.

    A stage that `sources` leads past tells nothing: its files may be of another time.
    """
    told = paths.telling(params)
    found = {
        "seeds": _as_seed(id, params, shelf) if "seeds" in told else None,
        "instructions": _written(id, params, shelf) if "filtered" in told else None,
        "filtered": _filtered(id, params, shelf) if "filtered" in told else None,
        "responses": _answered(id, params, shelf),
    }
    return {stage: part for stage, part in found.items() if part}


def _as_seed(id: str, params: Params, shelf: Shelf) -> Part | None:
    """Say what the teacher wrote when it was shown this seed."""
    if not shelf.one(paths.rows("seeds"), id):
        return None
    if "instructions" not in paths.telling(params):
        return {"requests": 0, "instructions": []}
    shown = [f.row for f in shelf.mention(paths.tasks(params), id) if id in f.row.get("seeds", [])]
    return {
        "requests": len({row["request"] for row in shown}),
        "instructions": [row["id"] for row in shown],
    }


def _written(id: str, params: Params, shelf: Shelf) -> Part | None:
    """Say which reply a task is from, and what the teacher was shown."""
    found = shelf.one(paths.tasks(params), id)
    if "instructions" not in paths.telling(params):
        return _brought_in(paths.tasks(params), found)
    if found:
        return {
            "seeds": _examples(found, params, shelf),
            "request": describe(found.row["request"], shelf),
            "index": found.row["index"],
        }
    if lost := shelf.one(paths.lost("instructions"), id):
        key, _, index = id.partition("/")
        twin = next(shelf.mention(paths.tasks(params), key), None)  # read from the same reply
        return {
            "dropped": _dropped(lost, params, shelf),
            "seeds": _examples(twin, params, shelf) if twin else None,
            "request": describe(key, shelf),
            "index": int(index),
        }
    return None


def _examples(found: Found, params: Params, shelf: Shelf) -> list[Part]:
    """Give the tasks that the teacher was shown: seeds, or what it wrote in rounds before."""
    ids = found.row["seeds"]
    return [{"id": id, "instruction": _task_text(id, params, shelf)} for id in ids]


def _filtered(id: str, params: Params, shelf: Shelf) -> Part | None:
    if lost := shelf.one(paths.lost("filtered"), id):
        return {"dropped": _dropped(lost, params, shelf)}
    return {"kept": True} if shelf.one(paths.rows("filtered"), id) else None


def _answered(id: str, params: Params, shelf: Shelf) -> Part | None:
    """Say who answered a task, and how."""
    found = shelf.one(paths.lessons(params), id)
    if "responses" not in paths.telling(params):
        return _brought_in(paths.lessons(params), found)
    if found:
        row = found.row
        answer = {name: row[name] for name in ("model", "finish_reason", "output")}
        return answer | {"request": describe(row["request"], shelf)}
    if lost := shelf.one(paths.lost("responses"), id):
        key = lost.row["witness"]
        return {"dropped": _dropped(lost, params, shelf), "request": describe(key, shelf)}
    return None


def _brought_in(path: Path, found: Found | None) -> Part | None:
    return {"brought_in": str(path), "row": found.number} if found else None


def _dropped(lost: Found, params: Params, shelf: Shelf) -> Part:
    """Give the reason, and the text of a witness that is a task."""
    row = lost.row
    text = _task_text(row["witness"], params, shelf)
    return {name: row[name] for name in ("reason", "witness", "score")} | {"witness_text": text}


def _task_text(id: str, params: Params, shelf: Shelf) -> str | None:
    """Give the instruction of a seed, an instruction, or a test task "set/id"."""
    test, slash, task = id.rpartition("/")
    if slash and ID.fullmatch(task):
        folder = dependencies("filtered", "data/tests")[0]
        return shelf.text([folder / f"{test}.jsonl"], task)
    if not ID.fullmatch(id):
        return None
    return shelf.text([paths.rows("seeds"), paths.tasks(params)], id)
