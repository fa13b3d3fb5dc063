"""The prepared data of a run, in its scratch folder: made once, mapped by all its processes.

The scratch folder's name is a hash of all that shapes them: data, prompt, settings, code, versions.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from alpacare.compute.scratch import hash_files
from alpacare.core import jsonl
from alpacare.core.files import atomic_folder, write_json
from alpacare.records.dropped import Dropped
from alpacare.training.data import TrainingData
from alpacare.training.sequences import PackedSequences

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_PREPARED = Path("prepared")
TOKENIZER, TRAIN, VALIDATION = (_PREPARED / each for each in ("tokenizer", "train", "validation"))
_DROPPED, _TEACHERS, _DIGEST = "dropped.jsonl", "teachers.json", "sha256"


class Prepared(NamedTuple):
    """What preparation makes of the responses."""

    data: TrainingData
    tokenizer: "PreTrainedTokenizerBase"


def write_prepared(scratch: Path, prepared: Prepared) -> None:
    """Write all at once, and a digest of it."""
    data = prepared.data
    with atomic_folder(scratch / _PREPARED) as fresh:
        prepared.tokenizer.save_pretrained(fresh / TOKENIZER.name)
        data.train.save(fresh / TRAIN.name)
        data.validation.save(fresh / VALIDATION.name)
        jsonl.write(fresh / _DROPPED, data.dropped)
        write_json(fresh / _TEACHERS, data.teachers)
        (fresh / _DIGEST).write_text(_digest(fresh))


def read_prepared(scratch: Path) -> Prepared | None:
    """Read what `write_prepared` wrote; None when there is nothing, or a byte of it has changed."""
    folder = scratch / _PREPARED
    digest = folder / _DIGEST
    if not digest.is_file() or digest.read_bytes() != _digest(folder).encode():
        return None
    from transformers import AutoTokenizer

    data = TrainingData(
        train=PackedSequences.load(scratch / TRAIN),
        validation=PackedSequences.load(scratch / VALIDATION),
        dropped=jsonl.read(folder / _DROPPED, Dropped),
        teachers=json.loads((folder / _TEACHERS).read_text(encoding="utf-8")),
    )
    return Prepared(
        data, AutoTokenizer.from_pretrained(scratch / TOKENIZER, trust_remote_code=False)
    )


def _digest(folder: Path) -> str:
    return hash_files(*sorted(path for path in folder.iterdir() if path.name != _DIGEST))
