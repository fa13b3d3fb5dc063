"""What every stage that asks a teacher lets its user set."""

import json
from typing import Any, Self

from pydantic import Field, model_validator

from alpacare.core.settings import Settings
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.request import Request, chat

_SAMPLING = {"model", "temperature", "top_p", "presence_penalty", "max_tokens"}
_OURS = {"messages", "prompt", "label", "sample", "room"}


class AskingSettings(Settings):
    """Whom to ask and how; null leaves a setting out, `extra` holds what servers know besides."""

    endpoint: str
    model: str
    temperature: float | None = Field(ge=0)
    presence_penalty: float | None
    max_tokens: int | None = Field(gt=0)
    retry_max_tokens: int | None = Field(gt=0)
    extra: dict[str, Any]

    @model_validator(mode="after")
    def _extra_is_extra(self) -> Self:
        try:
            json.dumps(self.extra, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"extra: holds what JSON cannot say ({error})") from None
        for name in self.extra:
            if name in _OURS:
                raise ValueError(f"extra.{name}: this is made by the stage")
            if name in _SAMPLING & type(self).model_fields.keys():
                raise ValueError(f"extra.{name}: set the key '{name}' instead")
        return self

    def request(
        self,
        endpoint: Endpoint,
        messages: list[dict[str, str]],
        *,
        label: str,
        sample: int = 0,
        **more: Any,
    ) -> Request:
        """Make the request that these settings ask; `more` goes into it too, and `extra`."""
        return chat(
            endpoint,
            self.model,
            messages,
            label=label,
            sample=sample,
            room=self.retry_max_tokens,
            **{
                "temperature": self.temperature,
                **more,
                "presence_penalty": self.presence_penalty,
                "max_tokens": self.max_tokens,
                **self.extra,
            },
        )
