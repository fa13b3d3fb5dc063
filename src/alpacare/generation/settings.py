"""Section `generations` of params.yaml, and the local models that answer beside the student."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from alpacare.compute.pinned_model import RANDOM, PinnedModel
from alpacare.core.names import Names
from alpacare.core.settings import Settings, check, read_yaml
from alpacare.prompting.student_prompt import Form

if TYPE_CHECKING:
    from transformers import GenerationConfig


class GenerationsSettings(Settings):
    """Which engine or server answers, the student and the references alike, and how it decodes."""

    renamed: ClassVar[Mapping[str, str]] = {
        "engine": "engines, as in engines: [batched], or servers: [NAME] for engine: server",
        "endpoint": "servers, as in servers: [self-hosted]",
    }

    engines: list[Literal["batched", "continuous"]]
    servers: Names
    workers: int = Field(gt=0)
    max_new_tokens: int = Field(gt=0)
    temperature: float = Field(ge=0)
    top_p: float = Field(gt=0, le=1)
    seed: int = Field(ge=0)
    cache_tokens: int = Field(gt=0)
    step_tokens: int = Field(gt=0)
    dtype: Literal["float32", "bfloat16"]
    threads: int = Field(gt=0)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.engines) + len(self.servers) != 1:
            raise ValueError("engines, servers: name one in all, as in engines: [batched]")
        if self.engine == "continuous" and self.temperature:
            raise ValueError(
                "temperature: engine 'continuous' draws by batch and not by row, so its samples "
                "could not be had again; use batched, or temperature 0"
            )
        return self

    @property
    def engine(self) -> Literal["batched", "continuous"]:
        """The engine on this machine, also for the references where a server is the student."""
        return self.engines[0] if self.engines else "batched"


@dataclass(frozen=True)
class Decoding:
    """Settings, the tokens that end an answer, and the one that pads a batch."""

    settings: GenerationsSettings
    end_ids: list[int]
    pad_id: int

    def config(self, new_tokens: int) -> "GenerationConfig":
        """Set all that transformers would else choose; `new_tokens` at most."""
        from transformers import GenerationConfig

        return GenerationConfig(  # type: ignore[no-untyped-call]
            max_new_tokens=new_tokens,
            do_sample=False,  # our sampler leaves one token to choose
            pad_token_id=self.pad_id,
            eos_token_id=self.end_ids or None,
            return_dict_in_generate=True,
        )


class LocalModelSettings(PinnedModel):
    """A model, and how it is prompted."""

    may_be_random: ClassVar[bool] = True
    prompt: Form

    @model_validator(mode="after")
    def _has_template(self) -> Self:
        if self.model == RANDOM and self.prompt == "chat":
            raise ValueError("prompt: chat: a model with random weights has no chat template")
        return self


def read_local_model(folder: Path) -> LocalModelSettings:
    """Read which model a folder names.

    Raises:
        BadInput: no such folder, or its settings are wrong.
    """
    path = folder / "settings.yaml"
    return check(read_yaml(path), LocalModelSettings, f"{path}: ")
