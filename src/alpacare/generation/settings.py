"""Section `generations` of params.yaml: one set of rules for the student and its yardsticks."""

from typing import Literal, Self

from pydantic import Field, model_validator

from alpacare.core.settings import Settings


class GenerationsSettings(Settings):
    """Which engine answers, how it decodes, and what fits at once."""

    engine: Literal["batched", "continuous", "server"]
    endpoint: str | None
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
        if (self.engine == "server") != (self.endpoint is not None):
            raise ValueError("endpoint: a name from endpoints for engine 'server', else null")
        if self.engine == "continuous" and self.temperature:
            raise ValueError(
                "temperature: engine 'continuous' draws by batch and not by row, so its samples "
                "could not be had again; use batched, or temperature 0"
            )
        return self
