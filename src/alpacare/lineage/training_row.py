"""How each student used a row: chosen or not; whole, truncated, held out, or dropped."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from alpacare.compute import scratch
from alpacare.core import jsonl
from alpacare.core.files import read_json
from alpacare.lineage.rows import FoundRow, RowReader
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params, Run
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.training.data import choose_held_out
from alpacare.training.packing import encode_example

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

DROPPED = "dropped.jsonl"  # in a checkpoint's folder: the rows that did not fit


def trace_training_row(id: str, params: Params, reader: RowReader) -> list[dict[str, Any]]:
    """Give what each student's training did with a row; empty if none could learn from it.

    `use`: "not chosen", "trained on", "held out", "dropped", or null if it is not known, because
    the checkpoint is missing or was trained on other rows. `truncated`: null if not known. All
    training seeds use the same rows: the first one's checkpoint is read.
    """
    known = reader.one(paths.training_rows(params), id)
    uses = [_use(id, Run(name, params.training_seeds[0]), reader) for name in params.students]
    learnt = known or any("row" in use or use["use"] == "dropped" for use in uses)
    return uses if learnt else []


def _use(id: str, run: Run, reader: RowReader) -> dict[str, Any]:
    path = paths.student_rows(run.student)
    place: dict[str, Any] = {"student": run.student, "file": str(path)}
    if not reader.has(path):
        return place | {"use": None, "why": f"{path} is not here"}
    found = reader.one(path, id)
    if not found:
        gone = reader.one(paths.dropped("student_rows", student=run.student), id)
        if gone:
            why = gone.row["reason"]
            if why == "contamination":  # of others the witness is no test task
                why += f", matches test task {gone.row['witness']}"
            return place | {"use": "dropped", "why": why}
        return place | {"use": "not chosen"}
    place |= {"row": found.number, "of": reader.count(path), "seed": run.seed}
    folder = paths.checkpoint(run)
    training = reader.json(folder / "training.json")
    if not training:
        return place | {"use": None, "why": "the checkpoint is not here"}
    if training["data"] != scratch.hash_files(path):
        return place | {"use": None, "why": "the checkpoint here was trained on other rows"}
    if "validation_ratio" not in training["settings"]:  # its settings have other names
        return place | {"use": None, "why": "the checkpoint here is of an earlier version"}
    if dropped := reader.one(folder / DROPPED, id):
        return place | {"use": "dropped", "why": dropped.row["reason"]}
    held_out = _is_held_out(id, path, folder / DROPPED, training["settings"], reader)
    use = "held out" if held_out else "trained on"
    return place | {"use": use, "truncated": _is_truncated(found, folder, training)}


def _is_held_out(
    id: str, path: Path, file: Path, settings: dict[str, Any], reader: RowReader
) -> bool:
    """Repeat the choice of training, from the rows that it did not drop."""
    ratio = settings["validation_ratio"]
    if not ratio:
        return False
    dropped = {row["id"] for _, row in jsonl.read_objects(file)} if reader.has(file) else set()
    ids = [row["id"] for _, row in jsonl.read_objects(path) if row["id"] not in dropped]
    return id in choose_held_out(ids, ratio)


def _is_truncated(found: FoundRow, folder: Path, training: dict[str, Any]) -> bool | None:
    """Encode the row again as training did."""
    if not training["truncated"]:
        return False
    if not (folder / "tokenizer.json").exists() or training["settings"]["prompt"] == "chat":
        return None
    tokenizer = cast("PreTrainedTokenizerBase", _FastTokenizer(folder))
    row = found.row
    prompt = StudentPrompt.read(folder / "prompt").encode(
        tokenizer, row["instruction"], row["input"]
    )
    end = [tokenizer.eos_token_id] if row["finish_reason"] != "length" else []
    longest = training["settings"]["max_seq_length"]
    example = encode_example(tokenizer, prompt, row["output"], end, longest)
    return example.truncated if example else None


class _FastTokenizer:
    """A checkpoint's tokenizer for counting tokens, without transformers: that takes seconds."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        names = read_json(folder / "tokenizer_config.json")
        self.bos_token_id = self._number(names.get("bos_token"))
        self.eos_token_id = self._number(names.get("eos_token"))

    def _number(self, token: Any) -> int | None:
        text = token.get("content") if isinstance(token, dict) else token
        return None if text is None else self._tokenizer.token_to_id(text)

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=add_special_tokens).ids
        return ids
