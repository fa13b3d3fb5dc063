"""A judge is a folder: `prompts/judges/NAME/settings.yaml`, and a prompt if it reads one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from alpacare.core.errors import BadInput
from alpacare.core.settings import S, Settings, check, read_yaml
from alpacare.judging.response_format import response_format
from alpacare.judging.verdicts.labels import Labels
from alpacare.judging.verdicts.ratings import Ratings
from alpacare.llm.request import Price
from alpacare.llm.request_settings import RequestSettings


class OverlapJudge(Settings):
    """Settings of the baseline that compares words."""

    kind: Literal["overlap"]
    tie_margin: float = Field(ge=0)


class LongestJudge(Settings):
    """Settings of the baseline that prefers the longer answer."""

    kind: Literal["longest"]
    tie_margin: int = Field(ge=0)


class LLMJudge(RequestSettings):
    """A judge behind an API: its model, how often to ask, and the form of its verdict.

    `format`: json_schema asks a server that has structured output for a verdict as JSON.
    """

    kind: Literal["llm"]
    temperature: float | None = Field(default=0.0, ge=0)
    presence_penalty: float | None = None
    retry_max_tokens: int | None = Field(default=None, gt=0)
    extra: dict[str, Any] = Field(default_factory=dict)
    samples: int = Field(default=1, gt=0, le=100)
    tries: int = Field(default=3, gt=0, le=10)
    reminder: str | None = None
    verdict: Labels | Ratings
    format: Literal["text", "json_schema"] = "text"
    price: Price | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.samples > 1 and self.temperature == 0:
            raise ValueError(
                "samples: several at temperature 0 are all the same; raise temperature"
            )
        if self.format == "json_schema" and "response_format" in self.extra:
            raise ValueError("extra.response_format: format: json_schema sets it; leave it out")
        return self

    def structure(self) -> dict[str, Any]:
        """Give what a request holds besides, so that the reply is JSON of the verdict's form."""
        return {} if self.format == "text" else {"response_format": response_format(self.verdict)}

    def labels(self) -> list[str]:
        """Give the labels that it answers with; none for a judge that rates."""
        return list(self.verdict.slots()) if isinstance(self.verdict, Labels) else []


Judge = OverlapJudge | LongestJudge | LLMJudge
_KINDS: Mapping[str, type[Judge]] = {
    "overlap": OverlapJudge,
    "longest": LongestJudge,
    "llm": LLMJudge,
}
_FORMS: Mapping[str, type[Labels] | type[Ratings]] = {"labels": Labels, "ratings": Ratings}


def read_judge(folder: Path) -> Judge:
    """Read a judge's settings.

    Raises:
        BadInput: no such judge, or wrong settings.
    """
    path = folder / "settings.yaml"
    if not path.exists():
        known = ", ".join(sorted(p.parent.name for p in folder.parent.glob("*/settings.yaml")))
        raise BadInput(f"no judge '{folder.name}' in {folder.parent} (known: {known or 'none'})")
    values = read_yaml(path)
    if values.get("kind") == "loglik":
        raise BadInput(
            f"{path}: a judge of kind 'loglik' runs on this machine; move its folder to "
            "prompts/local_judges, and its name to judgments.local_judges"
        )
    if values.get("kind") == "asked":
        raise BadInput(f"{path}: kind: 'asked' has a new name: llm")
    if "verdict" in values:
        values["verdict"] = _check_by(values["verdict"], "form", _FORMS, f"{path}: verdict.")
    return _check_by(values, "kind", _KINDS, f"{path}: ")


def _check_by(values: Any, key: str, models: Mapping[str, type[S]], place: str) -> S:
    """Check settings against the model that one of them names."""
    name = values.get(key) if isinstance(values, dict) else None
    if not isinstance(name, str) or name not in models:
        raise BadInput(f"{place}{key}: expected one of {', '.join(models)}, found {name}")
    return check(values, models[name], place)
