"""How a row went into training: whole, cut, held out, or not at all."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from alpacare.compute import scratch
from alpacare.core import jsonl
from alpacare.lineage.rows import Found, Shelf
from alpacare.pipeline import paths
from alpacare.pipeline.params import Params
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.training.data import held_out
from alpacare.training.packing import encode_example

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def learned(id: str, params: Params, shelf: Shelf) -> dict[str, Any] | None:
    """Say what training did with a row; None if the row never came so far.

    `use`: "trained on", "held out", "dropped", or null where the checkpoint here cannot tell: it is
    not here, or it learned from another version of the file. `truncated` is null where it is not
    known.
    """
    path = paths.lessons(params)
    found = shelf.one(path, id)
    if not found:
        return None
    told = {"file": str(path), "row": found.number, "of": shelf.count(path)}
    training = shelf.json(paths.checkpoint() / "training.json")
    if not training:
        return told | {"use": None, "why": "the checkpoint is not here"}
    if training["data"] != scratch.hash_files(path):
        return told | {"use": None, "why": "the checkpoint here learned from other rows"}
    lost = shelf.one(paths.lost("checkpoint"), id)
    if lost:
        return told | {"use": "dropped", "why": lost.row["reason"]}
    use = "held out" if _is_held_out(id, path, training["settings"], shelf) else "trained on"
    return told | {"use": use, "truncated": _is_cut(found, training)}


def _is_held_out(id: str, path: Path, settings: dict[str, Any], shelf: Shelf) -> bool:
    """Choose again as training did: from all rows that it did not drop."""
    share = settings["validation_share"]
    if not share:
        return False
    lost = paths.lost("checkpoint")
    gone = {row["id"] for _, row in jsonl.read_objects(lost)} if shelf.has(lost) else set()
    ids = [row["id"] for _, row in jsonl.read_objects(path) if row["id"] not in gone]
    return id in held_out(ids, share)


def _is_cut(found: Found, training: dict[str, Any]) -> bool | None:
    """Encode the row again as training did."""
    if not training["truncated"]:
        return False
    folder = paths.checkpoint()
    if not (folder / "tokenizer.json").exists() or training["settings"]["prompt"] == "chat":
        return None
    tokenizer = cast("PreTrainedTokenizerBase", _Quick(folder))
    row = found.row
    asked = StudentPrompt.read(folder / "prompt").encode(
        tokenizer, row["instruction"], row["input"]
    )
    complete = row["finish_reason"] != "length"
    longest = training["settings"]["row_length"]
    example = encode_example(tokenizer, asked, row["output"], complete, longest)
    return example.truncated if example else None


class _Quick:
    """A checkpoint's tokenizer, as far as counting needs it: transformers takes seconds to load."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        names = json.loads((folder / "tokenizer_config.json").read_text())
        self.bos_token_id = self._number(names.get("bos_token"))
        self.eos_token_id = self._number(names.get("eos_token"))

    def _number(self, token: Any) -> int | None:
        text = token.get("content") if isinstance(token, dict) else token
        return None if text is None else self._tokenizer.token_to_id(text)

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=add_special_tokens).ids
        return ids
