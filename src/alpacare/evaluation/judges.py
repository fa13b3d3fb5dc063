"""A judge is a folder: `prompts/judges/NAME/settings.yaml`, and a prompt if it reads one."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from alpacare.errors import BadInput
from alpacare.settings import Settings, check, read_yaml

JUDGES = Path("prompts/judges")


class OverlapJudge(Settings):
    """Settings of the model-free baseline."""

    kind: Literal["overlap"]
    tie_margin: float = Field(ge=0)


def read_judge(name: str) -> OverlapJudge:
    """Read a judge's settings by its name.

    Raises:
        BadInput: no such judge, or settings that do not fit.
    """
    path = JUDGES / name / "settings.yaml"
    if Path(name).name != name or not path.exists():
        known = ", ".join(sorted(p.parent.name for p in JUDGES.glob("*/settings.yaml")))
        raise BadInput(f"no judge '{name}' in {JUDGES} (known: {known or 'none'})")
    return check(read_yaml(path), OverlapJudge, f"{path}: ")
