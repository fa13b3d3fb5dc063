"""Section `lm_eval` of params.yaml: how every model meets every benchmark."""

from typing import Literal

from pydantic import Field

from alpacare.core.settings import Settings


class LmEvalSettings(Settings):
    """What lm-eval would be given on its command line; the same for students and other models."""

    few_shot: int | None = Field(ge=0)
    chat_template: bool
    batch_size: int = Field(gt=0)
    limit: int | None = Field(gt=0)
    dtype: Literal["float32", "bfloat16"]
    threads: int = Field(gt=0)
