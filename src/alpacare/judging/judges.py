"""A judge is a folder: `prompts/judges/NAME/settings.yaml`, and a prompt if it reads one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from alpacare.core.errors import BadInput
from alpacare.core.settings import S, Settings, check, read_yaml
from alpacare.judging.response_format import criteria_format, response_format
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


class AskedJudge(RequestSettings):
    """What all judges behind an API share: how often to ask, and the form of the reply.

    `format`: json_schema asks a server that has structured output for a reply as JSON.
    """

    temperature: float | None = Field(default=0.0, ge=0)
    presence_penalty: float | None = None
    retry_max_tokens: int | None = Field(default=None, gt=0)
    extra: dict[str, Any] = Field(default_factory=dict)
    tries: int = Field(default=3, gt=0, le=10)
    reminder: str | None = None
    format: Literal["text", "json_schema"] = "text"
    price: Price | None = None

    @model_validator(mode="after")
    def _one_format(self) -> Self:
        if self.format == "json_schema" and "response_format" in self.extra:
            raise ValueError("extra.response_format: format: json_schema sets it; leave it out")
        return self


class LLMJudge(AskedJudge):
    """A judge behind an API that compares two answers: the form of its verdict."""

    kind: Literal["llm"]
    samples: int = Field(default=1, gt=0, le=100)
    verdict: Labels | Ratings

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.samples > 1 and self.temperature == 0:
            raise ValueError(
                "samples: several at temperature 0 are all the same; raise temperature"
            )
        return self

    def structure(self) -> dict[str, Any]:
        """Give what a request holds besides, so that the reply is JSON of the verdict's form."""
        return {} if self.format == "text" else {"response_format": response_format(self.verdict)}

    def labels(self) -> list[str]:
        """Give the labels that it answers with; none for a judge that rates."""
        return list(self.verdict.slots()) if isinstance(self.verdict, Labels) else []


class RubricJudge(AskedJudge):
    """A judge behind an API that grades one answer by the rubrics of its test item.

    `ask`: all criteria of an item in one request, or each in one of its own, as HealthBench does.
    """

    kind: Literal["rubric_items"]
    ask: Literal["all", "each"]

    def structure(self) -> dict[str, Any]:
        """Give what a request holds besides, so that the reply is JSON."""
        return {} if self.format == "text" else {"response_format": criteria_format(self.ask)}


Judge = OverlapJudge | LongestJudge | LLMJudge
_KINDS: Mapping[str, type[Judge]] = {
    "overlap": OverlapJudge,
    "longest": LongestJudge,
    "llm": LLMJudge,
}
_FORMS: Mapping[str, type[Labels] | type[Ratings]] = {"labels": Labels, "ratings": Ratings}


def read_judge(folder: Path) -> Judge:
    """Read the settings of a judge that compares.

    Raises:
        BadInput: no such judge, one of another kind, or wrong settings.
    """
    values, path = _read(folder)
    if values.get("kind") == "loglik":
        raise BadInput(
            f"{path}: a judge of kind 'loglik' runs on this machine; move its folder to "
            "prompts/local_judges, and its name to judgments.local_judges"
        )
    if values.get("kind") == "rubric_items":
        raise BadInput(
            f"{path}: a judge of kind 'rubric_items' grades each answer alone; move its name to "
            "judgments.rubric_judges"
        )
    if values.get("kind") == "asked":
        raise BadInput(f"{path}: kind: 'asked' has a new name: llm")
    if "verdict" in values:
        values["verdict"] = _check_by(values["verdict"], "form", _FORMS, f"{path}: verdict.")
    return _check_by(values, "kind", _KINDS, f"{path}: ")


def read_rubric_judge(folder: Path) -> RubricJudge:
    """Read the settings of a judge that grades by rubrics.

    Raises:
        BadInput: no such judge, one of another kind, or wrong settings.
    """
    values, path = _read(folder)
    if values.get("kind") in _KINDS:
        raise BadInput(
            f"{path}: a judge of kind '{values['kind']}' compares answers; move its name to "
            "judgments.judges"
        )
    return _check_by(values, "kind", {"rubric_items": RubricJudge}, f"{path}: ")


def _read(folder: Path) -> tuple[dict[str, Any], Path]:
    path = folder / "settings.yaml"
    if not path.exists():
        known = ", ".join(sorted(p.parent.name for p in folder.parent.glob("*/settings.yaml")))
        raise BadInput(f"no judge '{folder.name}' in {folder.parent} (known: {known or 'none'})")
    return read_yaml(path), path


def _check_by(values: Any, key: str, models: Mapping[str, type[S]], place: str) -> S:
    """Check settings against the model that one of them names."""
    name = values.get(key) if isinstance(values, dict) else None
    if not isinstance(name, str) or name not in models:
        raise BadInput(f"{place}{key}: expected one of {', '.join(models)}, found {name}")
    return check(values, models[name], place)
