"""Settings of the stage `instructions`."""

from typing import Literal, Self

from pydantic import Field, model_validator

from alpacare.llm.request_settings import RequestSettings


class InstructionsSettings(RequestSettings):
    """Section `instructions` of params.yaml."""

    requests: int = Field(gt=0)
    target_kept: int | None = Field(gt=0)
    max_requests: int = Field(gt=0)
    round_requests: int = Field(gt=0)
    tasks_per_request: int = Field(gt=0)
    seeds_per_request: int = Field(gt=0)
    machine_examples: int = Field(ge=0)
    format: Literal["text", "json_schema"]
    seed: int
    top_p: float | None = Field(gt=0, le=1)

    @model_validator(mode="after")
    def _check_examples(self) -> Self:
        if self.machine_examples >= self.seeds_per_request:
            raise ValueError(
                f"machine_examples: {self.machine_examples} of {self.seeds_per_request} examples "
                "leave none for a seed"
            )
        return self
