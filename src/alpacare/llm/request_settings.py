"""Settings of every stage that asks an LLM."""

import json
from typing import Any, Self

from pydantic import Field, model_validator

from alpacare.core.keys import find_secret_setting
from alpacare.core.settings import Settings
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.request import Request, chat

_SET_BY_STAGE = {"messages", "prompt", "label", "sample"}
_OWN_KEYS = {"endpoint", "model", "temperature", "top_p", "presence_penalty"}
_OWN_KEYS |= {"max_tokens", "retry_max_tokens"}


class RequestSettings(Settings):
    """Which model to ask and how; null omits a setting, `extra` holds further ones of a server."""

    endpoint: str
    model: str
    temperature: float | None = Field(ge=0)
    presence_penalty: float | None
    max_tokens: int | None = Field(gt=0)
    retry_max_tokens: int | None = Field(gt=0)
    extra: dict[str, Any]

    @model_validator(mode="after")
    def _check_extra(self) -> Self:
        try:
            json.dumps(self.extra, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"extra: holds a value that JSON does not have ({error})") from None
        if name := find_secret_setting(self.extra):
            raise ValueError(
                f"extra.{name}: a secret would get into the ledger and its packs; the endpoint's "
                "api_key names the variable with the key, which is sent as a header"
            )
        for name in self.extra:
            if name in _SET_BY_STAGE:
                raise ValueError(f"extra.{name}: the stage sets this itself")
            if name in _OWN_KEYS & type(self).model_fields.keys():
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
        """Make a request with these settings; its body holds `more` and `extra` too."""
        return chat(
            endpoint,
            self.model,
            messages,
            label=label,
            sample=sample,
            retry_max_tokens=self.retry_max_tokens,
            **{
                "temperature": self.temperature,
                **more,
                "presence_penalty": self.presence_penalty,
                "max_tokens": self.max_tokens,
                **self.extra,
            },
        )
