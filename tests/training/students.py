"""Tiny students and examples to train them on."""

import tempfile
from pathlib import Path
from threading import Event
from typing import Any

from alpacare.compute.pinned_model import PinnedModel
from alpacare.training.base_model import random_llama, train_tokenizer
from alpacare.training.data import pack_examples
from alpacare.training.packing import Example, join_parts
from alpacare.training.sequences import PackedSequences
from alpacare.training.settings import (
    Architecture,
    BaseModelSettings,
    CheckpointSettings,
    TrainingSettings,
)
from alpacare.training.student import load_student
from alpacare.training.trainer import TrainingJob, train

TEXTS = ["the heart pumps blood", "a kidney filters it", "ask a doctor about the lung, now"]
TOKENIZER = train_tokenizer(TEXTS * 3, 300)
END = [TOKENIZER.eos_token_id]
SIZE = Architecture(hidden_size=32, layers=2, heads=2, vocab_size=300, context=128)
TRAINING = TrainingSettings(hardware="cpu", save_steps=100, report_to=[])


def save_base(folder: Path) -> PinnedModel:
    """A model with random weights on disk, the same each time."""
    random_llama(BaseModelSettings(architecture=SIZE, seed=0), TOKENIZER).save_pretrained(folder)
    TOKENIZER.save_pretrained(folder)
    return PinnedModel(model=str(folder), revision=None)


_FOLDER = tempfile.TemporaryDirectory()
BASE = save_base(Path(_FOLDER.name))


def make_settings(**changes: Any) -> CheckpointSettings:
    """Settings of a student of a few thousand weights; nested ones by name__name."""
    values: dict[str, Any] = {
        "base": "random",
        "revision": None,
        "dtype": "float32",
        "rows": {"source": None, "where": {}, "take": None, "choose": "all", "seed": 0},
        "prompt": "alpaca",
        "lora": None,
        "optimizer": {
            "name": "adamw",
            "epochs": 3,
            "max_steps": None,
            "batch_size": 8,
            "learning_rate": 1e-2,
            "schedule": "constant",
            "warmup_ratio": 0.0,
            "weight_decay": 0.0,
        },
        "packing": True,
        "max_seq_length": 96,
        "too_long": "truncate",
        "micro_batch_size": None,
        "gradient_checkpointing": False,
        "compile": False,
        "liger": False,
        "validation_ratio": 0.0,
        "threads": 2,
    }  # fmt: skip
    for name, value in changes.items():
        *path, key = name.split("__")
        place = values
        for part in path:
            place = place[part]
        place[key] = value
    return CheckpointSettings(**values)


def start(prompt: str) -> list[int]:
    """A prompt's token ids."""
    return [TOKENIZER.bos_token_id, *TOKENIZER.encode(prompt, add_special_tokens=False)]


def make_examples(count: int) -> list[Example]:
    """Examples of different lengths, every fourth a conversation of two turns."""
    made = []
    for n in range(count):
        asked, answer = start(" ".join(TEXTS[: 1 + n % 3])), TEXTS[n % 3] * (1 + n % 2)
        parts = [(asked, False), (TOKENIZER.encode(answer) + END, True)]
        if n % 4 == 3:
            parts += [(start(TEXTS[0])[:9], False), (TOKENIZER.encode(TEXTS[1]) + END, True)]
        made.append(join_parts(parts, 96))
    return [example for example in made if example]


def trained(
    settings: CheckpointSettings,
    examples: list[Example],
    scratch: Path,
    validation: list[Example] | None = None,
) -> Any:
    """Train in this process, all examples in every step; give the Trainer."""
    sequences = PackedSequences.of(pack_examples(examples, settings))
    held_out = PackedSequences.of(pack_examples(validation or [], settings))
    job = TrainingJob(
        settings=settings,
        training=TRAINING,
        base=BASE,
        seed=0,
        sequences_per_step=len(sequences),
        pad_id=TOKENIZER.pad_token_id,
    )
    trainer, _ = train(load_student(settings, BASE), sequences, held_out, job, scratch, Event())
    return trainer
