"""Section `checkpoint` of params.yaml."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from alpacare.core.settings import Settings
from alpacare.prompting.student_prompt import Form
from alpacare.training.student import StudentSettings


class LoraSettings(Settings):
    """Low-rank adapters in place of all weights (Hu et al. 2021)."""

    rank: int = Field(gt=0)
    alpha: int = Field(gt=0)
    dropout: float = Field(ge=0, lt=1)
    targets: str | list[str]

    @field_validator("targets")
    @classmethod
    def _named(cls, targets: str | list[str]) -> str | list[str]:
        if targets == "all-linear" or (targets and isinstance(targets, list)):
            return targets
        raise ValueError(f"expected all-linear or names such as [q_proj, v_proj], found {targets}")


class OptimizerSettings(Settings):
    """How the weights move."""

    epochs: int = Field(gt=0)
    batch_size: int = Field(gt=0)
    learning_rate: float = Field(gt=0)
    schedule: Literal["cosine", "linear", "constant"]
    warmup_share: float = Field(ge=0, lt=1)
    weight_decay: float = Field(ge=0)
    eight_bit: bool


class CheckpointSettings(Settings):
    """Which student, how it is trained, and on what."""

    hardware: str = Field(pattern=r"^[a-z0-9-]+$")
    student: StudentSettings
    prompt: Form
    lora: LoraSettings | None
    optimizer: OptimizerSettings
    packing: bool
    row_length: int = Field(gt=1)
    too_long: Literal["truncate", "drop"]
    micro_rows: int | None = Field(gt=0)
    gradient_checkpointing: bool
    compile: bool
    liger: bool
    validation_share: float = Field(ge=0, lt=0.5)
    save_steps: int = Field(gt=0)
    report_to: list[str]
    threads: int = Field(gt=0)

    @model_validator(mode="after")
    def _chats(self) -> Self:
        if self.prompt == "chat" and self.student.base == "random":
            raise ValueError("prompt: chat: a student made from nothing has no chat template")
        return self

    @model_validator(mode="after")
    def _fits(self) -> Self:
        context = self.student.architecture.context
        if self.student.base == "random" and self.row_length > context:
            raise ValueError(
                f"row_length: {self.row_length} tokens exceed the student's context, {context}"
            )
        return self
