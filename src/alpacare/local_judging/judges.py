"""A judge on this machine is a folder: `prompts/local_judges/NAME/` with settings and a prompt."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from alpacare.compute.pinned_model import PinnedModel
from alpacare.core.errors import BadInput
from alpacare.core.settings import check, read_yaml
from alpacare.records.judgment import Slot


class LoglikJudge(PinnedModel):
    """Which model judges, how it is prompted, and the labels it chooses from.

    Form `plain`: the start token and the prompt. `chat`: the model's own chat template around the
    prompt; a label begins its answer. `tie` null: no ties. Labels are written as the model would
    continue, with a space in front where it writes one. With `dtype` bfloat16 logits come in coarse
    steps (0.1 at a logit of 20), so that equal scores do happen.

    `cache_tokens`: the most tokens held at once on a GPU, where a prompt counts once a label. A
    CPU reads prompts one by one: in a batch their last digits would change, and a model large
    enough to judge is no faster for it.
    """

    kind: Literal["loglik"]
    prompt: Literal["plain", "chat"]
    first: str
    second: str
    tie: str | None
    cache_tokens: int = Field(gt=0)
    dtype: Literal["float32", "bfloat16"]
    threads: int = Field(gt=0)

    @model_validator(mode="after")
    def _sound(self) -> Self:
        written = [label.strip() for label in self.labels.values()]
        if not all(written):
            raise ValueError("first, second, tie: a label is blank; write it, or null for no ties")
        if len(set(written)) < len(written):
            raise ValueError("first, second, tie: two labels are the same; write different ones")
        return self

    @property
    def labels(self) -> dict[Slot, str]:
        """The labels that may be chosen."""
        labels: dict[Slot, str] = {"first": self.first, "second": self.second}
        return labels if self.tie is None else {**labels, "tie": self.tie}


def read_local_judge(folder: Path) -> LoglikJudge:
    """Read a judge's settings.

    Raises:
        BadInput: no such judge, or settings that do not fit.
    """
    path = folder / "settings.yaml"
    if not path.exists():
        known = ", ".join(sorted(p.parent.name for p in folder.parent.glob("*/settings.yaml")))
        raise BadInput(f"no judge '{folder.name}' in {folder.parent} (known: {known or 'none'})")
    return check(read_yaml(path), LoglikJudge, f"{path}: ")
