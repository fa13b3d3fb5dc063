"""Where a training row comes from: seeds, the teacher's reply, the filter, the teacher's answer."""

from pathlib import Path

from alpacare.lineage.requests import describe_request
from alpacare.lineage.rows import ID, FoundRow, JsonObject, RowReader
from alpacare.pipeline import paths
from alpacare.pipeline.dvc_yaml import dependencies
from alpacare.pipeline.params import Params
from alpacare.pipeline.students import read_students
from alpacare.training.settings import CheckpointSettings


def own_source(student: CheckpointSettings, params: Params) -> Path | None:
    """Give the imported file that a student alone chooses its rows from, if there is one."""
    if not student.rows.source:
        return None
    folder = dependencies("student_rows", "data/imported")[0]
    file = folder / f"{Path(student.rows.source).name}.jsonl"
    return file if file != paths.training_rows(params) else None


def own_sources(params: Params) -> list[Path]:
    """Give all such files."""
    files = (own_source(student, params) for student in read_students(params).values())
    return list(dict.fromkeys(filter(None, files)))


def trace_row_origin(id: str, params: Params, reader: RowReader) -> dict[str, JsonObject]:
    """Give what each stage before training did with a row; stages that never had it are absent.

    A stage that `sources` skips is absent too: its files may be out of date.
    """
    stages = paths.stages_before_training(params)
    parts = {
        "seeds": _seed_part(id, params, reader) if "seeds" in stages else None,
        "instructions": _instruction_part(id, params, reader) if "filtered" in stages else None,
        "filtered": _filtered_part(id, params, reader) if "filtered" in stages else None,
        "responses": _response_part(id, params, reader),
        "verified": _verified_part(id, params, reader),
    }
    return {stage: part for stage, part in parts.items() if part}


def _seed_part(id: str, params: Params, reader: RowReader) -> JsonObject | None:
    """Give the instructions that the teacher wrote with this seed as an example."""
    if not reader.one(paths.rows("seeds"), id):
        return None
    if "instructions" not in paths.stages_before_training(params):
        return {"requests": 0, "instructions": []}
    found = reader.containing(paths.instructions(params), id)
    rows = [each.row for each in found if id in each.row.get("seeds", [])]
    return {
        "requests": len({row["request"] for row in rows}),
        "instructions": [row["id"] for row in rows],
    }


def _instruction_part(id: str, params: Params, reader: RowReader) -> JsonObject | None:
    """Give the reply that a task is from, and the examples in its request."""
    found = reader.one(paths.instructions(params), id)
    if "instructions" not in paths.stages_before_training(params):
        return _imported(paths.instructions(params), found)
    if found:
        return {
            "seeds": _examples(found, params, reader),
            "request": describe_request(found.row["request"], reader),
            "index": found.row["index"],
        }
    if dropped := reader.one(paths.dropped("instructions"), id):
        key, _, index = id.partition("/")
        kept = next(reader.containing(paths.instructions(params), key), None)  # from the same reply
        return {
            "dropped": _dropped(dropped, params, reader),
            "seeds": _examples(kept, params, reader) if kept else None,
            "request": describe_request(key, reader),
            "index": int(index),
        }
    return None


def _examples(found: FoundRow, params: Params, reader: RowReader) -> list[JsonObject]:
    """Give the examples that the teacher was shown: seeds, or instructions of earlier rounds."""
    ids = found.row["seeds"]
    return [{"id": id, "instruction": _task_text(id, params, reader)} for id in ids]


def _filtered_part(id: str, params: Params, reader: RowReader) -> JsonObject | None:
    if dropped := reader.one(paths.dropped("filtered"), id):
        return {"dropped": _dropped(dropped, params, reader)}
    return {"kept": True} if reader.one(paths.rows("filtered"), id) else None


def _response_part(id: str, params: Params, reader: RowReader) -> JsonObject | None:
    """Give the teacher's answer to a task, or why it was dropped."""
    source = paths.answers_before_checks(params)
    found = reader.one(source, id)
    if not found:
        for file in own_sources(params):
            if part := _imported(file, reader.one(file, id)):
                return part
    if "responses" not in paths.stages_before_training(params):
        return _imported(source, found)
    if found:
        row = found.row
        answer = {name: row[name] for name in ("model", "finish_reason", "output")}
        return answer | {"request": describe_request(row["request"], reader)}
    if dropped := reader.one(paths.dropped("responses"), id):
        request = describe_request(dropped.row["witness"], reader)
        return {"dropped": _dropped(dropped, params, reader), "request": request}
    return None


def _verified_part(id: str, params: Params, reader: RowReader) -> JsonObject | None:
    """Give what the verifier found, and in which words."""
    name = params.sources.verifier
    if name is None:
        return None
    _, dropped, checks = paths.verified(name)
    said = [each.row for each in reader.containing(checks, id)]
    own = next((row for row in said if row["id"] == id and not row["planted"]), None)
    if own is None:
        return None
    return {
        "verifier": name,
        "finding": own["finding"],
        "error": own["error"],
        "dropped": reader.one(dropped, id) is not None,
        "request": describe_request(own["request"], reader),
    }


def _imported(path: Path, found: FoundRow | None) -> JsonObject | None:
    return {"brought_in": str(path), "row": found.number} if found else None


def _dropped(dropped: FoundRow, params: Params, reader: RowReader) -> JsonObject:
    """Give the drop reason, and the instruction of the matching row if it is a task."""
    row = dropped.row
    text = _task_text(row["witness"], params, reader)
    return {name: row[name] for name in ("reason", "witness", "score")} | {"witness_text": text}


def _task_text(id: str, params: Params, reader: RowReader) -> str | None:
    """Give the instruction of a seed, an instruction, or a test task or benchmark item "set/id"."""
    files = [paths.rows("seeds"), paths.instructions(params)]
    test, slash, task = id.rpartition("/")
    if slash and ID.fullmatch(task):
        files, id = [folder / f"{test}.jsonl" for folder in paths.compared_sets()], task
    elif not ID.fullmatch(id):
        return None
    found = next(filter(None, (reader.one(path, id) for path in files)), None)
    return str(found.row.get("instruction") or found.row.get("question", "")) if found else None
