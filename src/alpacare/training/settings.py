"""Sections `base_model`, `checkpoint` and `training` of params.yaml."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from alpacare.compute.pinned_model import RANDOM, check_pinned
from alpacare.core.settings import Settings
from alpacare.prompting.student_prompt import Form
from alpacare.training.rows import RowsSettings

OptimizerName = Literal["adamw", "adamw_8bit"]


class Architecture(Settings):
    """The size of a LLaMA with random weights."""

    hidden_size: int = Field(gt=0)
    layers: int = Field(gt=0)
    heads: int = Field(gt=0)
    vocab_size: int = Field(ge=300)
    context: int = Field(gt=0)

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        if self.hidden_size % (2 * self.heads):
            raise ValueError(
                f"hidden_size {self.hidden_size} is no even multiple of heads {self.heads}"
            )
        return self

    @property
    def intermediate_size(self) -> int:
        """LLaMA's SwiGLU width (Touvron et al. 2023, arXiv 2302.13971, section 2.2)."""
        return self.hidden_size * 8 // 3


class BaseModelSettings(Settings):
    """Section `base_model`: the model that students with base `random` start from.

    `make: false`: no student does. New rows then change nothing that students start from.
    """

    make: bool = True
    architecture: Architecture
    seed: int


class TrainingSettings(Settings):
    """Section `training`: where training runs, and what it reports. No weight depends on it."""

    hardware: str = Field(pattern=r"^[a-z0-9-]+$")
    save_steps: int = Field(gt=0)
    report_to: list[str]


def folder_name(path: str) -> str:
    """Give the last part of a folder's path; the others may name a person.

    A link is not followed: it may lead elsewhere tomorrow, or be on another machine only.
    """
    return Path(os.path.normpath(Path(path).absolute())).name


class LoraSettings(Settings):
    """Low-rank adapters in place of all weights (Hu et al. 2021).

    `quantize: nf4`: the base's layers are held in 4 bits (QLoRA, Dettmers et al. 2023), by
    bitsandbytes on a GPU.
    """

    rank: int = Field(gt=0)
    alpha: int = Field(gt=0)
    dropout: float = Field(ge=0, lt=1)
    targets: str | list[str]
    quantize: Literal["nf4"] | None = None

    @field_validator("targets")
    @classmethod
    def _named(cls, targets: str | list[str]) -> str | list[str]:
        if targets == "all-linear" or (targets and isinstance(targets, list)):
            return targets
        raise ValueError(f"expected all-linear or names such as [q_proj, v_proj], found {targets}")


class OptimizerSettings(Settings):
    """Which optimizer, its learning rate, and how many steps of how many examples.

    `max_steps` ends training there; None: after `epochs`.
    """

    renamed: ClassVar[Mapping[str, str]] = {
        "eight_bit": "name, adamw_8bit for true and adamw for false",
        "warmup_share": "warmup_ratio",
    }
    name: OptimizerName
    epochs: int = Field(gt=0)
    max_steps: int | None = Field(gt=0)
    batch_size: int = Field(gt=0)
    learning_rate: float = Field(gt=0)
    schedule: Literal["cosine", "linear", "constant"]
    warmup_ratio: float = Field(ge=0, lt=1)
    weight_decay: float = Field(ge=0)


class CheckpointSettings(Settings):
    """How a student is made: its base, its rows and its training.

    Section `checkpoint` of params.yaml, with students/NAME.yaml laid over it.
    """

    renamed: ClassVar[Mapping[str, str]] = {
        "row_length": "max_seq_length",
        "micro_rows": "micro_batch_size",
        "validation_share": "validation_ratio",
        "student": "base, revision and dtype, in section checkpoint itself",
        "hardware": "training.hardware",
        "save_steps": "training.save_steps",
        "report_to": "training.report_to",
    }
    base: str
    revision: str | None
    dtype: Literal["float32", "bfloat16"]
    rows: RowsSettings
    prompt: Form
    lora: LoraSettings | None
    optimizer: OptimizerSettings
    packing: bool
    max_seq_length: int = Field(gt=1)
    too_long: Literal["truncate", "drop"]
    micro_batch_size: int | None = Field(gt=0)
    gradient_checkpointing: bool
    compile: bool
    liger: bool
    validation_ratio: float = Field(ge=0, lt=0.5)
    threads: int = Field(gt=0)

    @property
    def is_folder(self) -> bool:
        """Whether the base is a folder on this machine, and not on the Hub or made from nothing."""
        return self.base != RANDOM and Path(self.base).is_dir()

    @property
    def public_base(self) -> str:
        """The base by the name that others may read: of a folder `folder_name`."""
        return folder_name(self.base) if self.is_folder else self.base

    @model_validator(mode="after")
    def _pinned(self) -> Self:
        if self.base != RANDOM:
            check_pinned(self.base, self.revision)
        if self.base == RANDOM and self.prompt == "chat":
            raise ValueError("prompt: chat: a base with random weights has no chat template")
        return self

    def check_context(self, base_model: BaseModelSettings) -> None:
        """Check that an example fits into the context of a base that is made from nothing.

        Raises:
            ValueError: it does not.
        """
        context = base_model.architecture.context
        if self.base == RANDOM and self.max_seq_length > context:
            raise ValueError(
                f"max_seq_length: {self.max_seq_length} tokens exceed the base model's context, "
                f"{context} (base_model.architecture.context)"
            )
