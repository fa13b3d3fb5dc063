"""A judge is a folder: `prompts/judges/NAME/settings.yaml`, and a prompt if it reads one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from alpacare.core.errors import BadInput
from alpacare.core.settings import Settings, check, read_yaml
from alpacare.judging.verdicts.labels import Labels
from alpacare.judging.verdicts.ratings import Ratings
from alpacare.llm.request import Price
from alpacare.llm.request_settings import AskingSettings
from alpacare.local_judging.loglik import LoglikJudge

JUDGES = Path("prompts/judges")


class OverlapJudge(Settings):
    """Settings of the baseline that compares words."""

    kind: Literal["overlap"]
    tie_margin: float = Field(ge=0)


class LongestJudge(Settings):
    """Settings of the baseline that takes the longer answer."""

    kind: Literal["longest"]
    tie_margin: int = Field(ge=0)


class AskedJudge(AskingSettings):
    """A judge behind an API: whom to ask, how often, and how its reply says its verdict."""

    kind: Literal["asked"]
    temperature: float | None = Field(default=0.0, ge=0)
    presence_penalty: float | None = None
    retry_max_tokens: int | None = Field(default=None, gt=0)
    extra: dict[str, Any] = Field(default_factory=dict)
    samples: int = Field(default=1, gt=0, le=100)
    tries: int = Field(default=3, gt=0, le=10)
    reminder: str | None = None
    verdict: Labels | Ratings
    price: Price | None = None

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.samples > 1 and self.temperature == 0:
            raise ValueError("samples: several at temperature 0 are one opinion; give it more")
        return self

    def labels(self) -> list[str]:
        """Give the labels that it answers with; none where it rates."""
        form = self.verdict
        if not isinstance(form, Labels):
            return []
        return [label for label in (form.first, form.second, form.tie) if label]


Judge = OverlapJudge | LongestJudge | LoglikJudge | AskedJudge
_KINDS: Mapping[str, type[Judge]] = {
    "overlap": OverlapJudge,
    "longest": LongestJudge,
    "loglik": LoglikJudge,
    "asked": AskedJudge,
}
_FORMS: Mapping[str, type[Labels] | type[Ratings]] = {"labels": Labels, "ratings": Ratings}


def read_judge(name: str) -> Judge:
    """Read a judge's settings by its name.

    Raises:
        BadInput: no such judge, or settings that do not fit.
    """
    path = JUDGES / name / "settings.yaml"
    if Path(name).name != name or not path.exists():
        known = ", ".join(sorted(p.parent.name for p in JUDGES.glob("*/settings.yaml")))
        raise BadInput(f"no judge '{name}' in {JUDGES} (known: {known or 'none'})")
    values = read_yaml(path)
    if "verdict" in values:
        form = values["verdict"]
        chosen = _choose(
            form if isinstance(form, dict) else {}, "form", _FORMS, f"{path}: verdict."
        )
        values["verdict"] = check(form, chosen, f"{path}: verdict.")
    kind: type[Judge] = _choose(values, "kind", _KINDS, f"{path}: ")
    return check(values, kind, f"{path}: ")


def _choose(values: Mapping[str, Any], key: str, models: Mapping[str, Any], place: str) -> Any:
    name = values.get(key)
    if not isinstance(name, str) or name not in models:
        raise BadInput(f"{place}{key}: expected one of {', '.join(models)}, found {name}")
    return models[name]
