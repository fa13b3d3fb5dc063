"""What bench/train.py compares: made-up samples, a student, and three ways to train it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
from transformers import DataCollatorForSeq2Seq, PrinterCallback, Trainer, TrainingArguments

from alpacare.compute.pinned_model import PinnedModel
from alpacare.core.settings import read_yaml
from alpacare.prompting.student_prompt import StudentPrompt
from alpacare.training.base_model import random_llama, train_tokenizer
from alpacare.training.data import pack_examples
from alpacare.training.packing import IGNORE_INDEX, Example, PackedSequence, encode_example
from alpacare.training.sequences import PackedSequences
from alpacare.training.settings import (
    Architecture,
    BaseModelSettings,
    CheckpointSettings,
    TrainingSettings,
)
from alpacare.training.trainer import TrainingJob, train

REPOSITORY = Path(__file__).parents[1]
# 0.8 million weights; fixed, as figures of another student could not be compared
SIZE = Architecture(hidden_size=128, layers=3, heads=2, vocab_size=4096, context=1024)
BATCH = 32  # samples a step, as on each of the four GPUs of the paper
AT_ONCE = 4  # of them in a padded batch, as published; as many packed sequences of ours
ROW = 512  # tokens
RATE = 1e-4
NO_INPUT = 0.35  # share of MedInstruct's samples without one
Lengths = Callable[[np.random.Generator], tuple[int, int, int]]


def skewed(draw: np.random.Generator) -> tuple[int, int, int]:
    """Words of an instruction, its input and its output, in MedInstruct's ranges.

    No file of their lengths is published. Texts are as often of 20 to 40 words as of 125 to 250
    here, as ten types of task from a choice's letter to an essay make them, and many have no input.
    """
    given = draw.random() >= NO_INPUT
    return 13, int(draw.integers(1, 61)) if given else 0, round(20 * 12.5 ** draw.random())


def even(draw: np.random.Generator) -> tuple[int, int, int]:
    """The same ranges, every length as often: the least that samples of a batch can differ."""
    return 13, int(draw.integers(61)), int(draw.integers(20, 251))


def corpus(samples: int, lengths: Lengths) -> list[tuple[str, str, str]]:
    """Made-up words, drawn by Zipf's law; the same every time."""
    draw = np.random.default_rng(0)
    parts = [first + second for first in "bcdfglmnprstv" for second in "aeiou"]
    words = ["".join(draw.choice(parts, size)) for size in draw.integers(1, 5, 5000)]
    weights = 1 / np.arange(1, len(words) + 1)
    weights /= weights.sum()
    return [
        tuple(" ".join(draw.choice(words, count, p=weights)) for count in lengths(draw))  # type: ignore[misc]
        for _ in range(samples)
    ]


def encode(texts: list[tuple[str, str, str]]) -> tuple[Any, list[Example]]:
    """A tokenizer trained on the texts, and the texts as the student is trained on them."""
    prompt = StudentPrompt.choose("alpaca", REPOSITORY / "prompts/student")
    pairs = [(prompt.fill(instruction, input), output) for instruction, input, output in texts]
    tokenizer = train_tokenizer([text for pair in pairs for text in pair], SIZE.vocab_size)
    made = [
        encode_example(
            tokenizer, prompt.encode(tokenizer, *asked), output, [tokenizer.eos_token_id], ROW
        )
        for *asked, output in texts
    ]
    examples = [example for example in made if example and not example.truncated]
    assert len(examples) == len(pairs)
    return tokenizer, examples


def make_settings(**changes: Any) -> CheckpointSettings:
    """Those of params.yaml, and a step like the published one."""
    values: dict[str, Any] = read_yaml(REPOSITORY / "params.yaml")["checkpoint"]
    values["optimizer"] |= {"learning_rate": RATE, "schedule": "constant", "warmup_ratio": 0.0}
    values["optimizer"] |= {"batch_size": BATCH, "epochs": changes.pop("epochs", 1)}
    values |= {"max_seq_length": ROW, "micro_batch_size": AT_ONCE}
    return CheckpointSettings(**values | changes)


def make_student(tokenizer: Any) -> Any:
    """A student with random weights, the same each time."""
    return random_llama(BaseModelSettings(architecture=SIZE, seed=0), tokenizer)


def make_job(settings: CheckpointSettings, per_step: int, pad: int, **others: Any) -> TrainingJob:
    """A job for `train`, which is given the model: so nobody reads the base's folder."""
    training = TrainingSettings(hardware="cpu", save_steps=10_000, report_to=[])
    base = PinnedModel(model=str(REPOSITORY), revision=None)
    return TrainingJob(
        settings=settings,
        training=training,
        base=base,
        seed=0,
        sequences_per_step=per_step,
        pad_id=pad,
        **others,
    )


def sequences_per_step(sequences: Sequence[PackedSequence], batch: int) -> int:
    """How many sequences hold so many samples, on average."""
    return max(1, round(batch * len(sequences) / sum(map(len, sequences))))


@dataclass(frozen=True)
class Work:
    """What each way is given: samples, so many a step, so many times over."""

    tokenizer: Any
    examples: list[Example]
    batch: int = BATCH
    epochs: int = 1
    at_once: int = AT_ONCE  # packed sequences of ours

    @property
    def tokens(self) -> int:
        return self.epochs * sum(len(example.ids) for example in self.examples)

    @property
    def context(self) -> float:
        """Tokens of the sample in which the mean token stands."""
        return sum(len(e.ids) ** 2 for e in self.examples) * self.epochs / self.tokens

    @property
    def useful(self) -> float:
        """Share of useful tokens in padded batches."""
        sizes = [len(example.ids) for example in self.examples]
        batches = [sizes[start : start + AT_ONCE] for start in range(0, len(sizes), AT_ONCE)]
        return sum(sizes) / sum(max(batch) * len(batch) for batch in batches)

    def rows(self) -> list[dict[str, list[int]]]:
        """The samples as Trainer and TRL take them."""
        masks = [[IGNORE_INDEX] * e.prompt_length + e.ids[e.prompt_length :] for e in self.examples]
        pairs = zip(self.examples, masks, strict=True)
        return [{"input_ids": example.ids, "labels": mask} for example, mask in pairs]

    def arguments(self, folder: str) -> dict[str, Any]:
        """Arguments of the others' trainers, to do as ours does."""
        same = {"lr_scheduler_type": "constant", "optim": "adamw_torch_fused", "seed": 0}
        quiet = {"disable_tqdm": True, "report_to": "none", "save_strategy": "no"}
        run = {"output_dir": folder, "num_train_epochs": self.epochs, "learning_rate": RATE}
        return run | same | quiet | {"use_cpu": True, "logging_steps": 1, "bf16": False}


def published(model: Any, work: Work, folder: str) -> Trainer:
    """AlpaCare's: batches of four samples, padded on the right to the longest of them."""
    arguments = TrainingArguments(
        **work.arguments(folder),
        per_device_train_batch_size=AT_ONCE,
        gradient_accumulation_steps=work.batch // AT_ONCE,
    )
    pad = DataCollatorForSeq2Seq(work.tokenizer, label_pad_token_id=IGNORE_INDEX)
    trainer = Trainer(model, arguments, train_dataset=work.rows(), data_collator=pad)
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return trainer


def trl(model: Any, work: Work, folder: str) -> Trainer:
    """TRL's, at its fastest here: one packed row at once, nothing computed twice."""
    packed = pack_examples(work.examples, make_settings())
    per_step = sequences_per_step(packed, work.batch)
    return _train_by_trl(model, work, folder, (1, per_step), packing=True)


def trl_padding_free(model: Any, work: Work, folder: str) -> Trainer:
    """TRL's other way: the samples of a small batch one after another, without padding."""
    split = (AT_ONCE, work.batch // AT_ONCE)
    return _train_by_trl(model, work, folder, split, padding_free=True)


def _train_by_trl(
    model: Any, work: Work, folder: str, split: tuple[int, int], **how: bool
) -> Trainer:
    """Train by SFTTrainer; `split`: rows at once, and how often in a step."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    at_once, accumulation = split
    arguments = SFTConfig(
        **work.arguments(folder),
        **how,
        max_length=ROW,
        per_device_train_batch_size=at_once,
        gradient_accumulation_steps=accumulation,
        gradient_checkpointing=False,
    )
    data = Dataset.from_list(work.rows())
    trainer = SFTTrainer(model, arguments, train_dataset=data, processing_class=work.tokenizer)
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return trainer


def ours(model: Any, work: Work, folder: str) -> Trainer:
    """The function that the stage `checkpoint` trains with."""
    settings = make_settings(epochs=work.epochs, micro_batch_size=work.at_once)
    sequences, pad = pack_examples(work.examples, settings), work.tokenizer.pad_token_id
    per_step = sequences_per_step(sequences, work.batch)
    job = make_job(settings, per_step, pad)
    arrays, none = PackedSequences.of(sequences), PackedSequences.of([])
    trainer, _ = train(model, arrays, none, job, Path(folder), Event())
    return trainer


Way = Callable[[Any, Work, str], Trainer]
WAYS: dict[str, Way] = {"published": published, "trl": trl, "ours": ours}
