"""`alpacare check` reads every prompt that the pipeline would use, before DVC deletes anything."""

import re
import shutil
from pathlib import Path

import pytest
from conftest import REPOSITORY

from alpacare.core.errors import BadInput
from alpacare.pipeline.check import check_all

USED = {
    "judges: [overlap, longest]": "judges: [alpacare, arena-hard, mtbench, rubric, self-hosted]",
    "rubric_judges: []": "rubric_judges: [healthbench, rubric-items]",
    "local_judges: []": "local_judges: [loglik]",
    "  api: []": "  api: [gpt-4o]",
    "verifiers: []": "verifiers: [gpt-4o]",
    "categories: []": "categories: [gpt-4o]",
}


@pytest.fixture
def project(workspace: Path) -> Path:
    """The project with every kind of prompt in use."""
    for name in ("dvc.yaml", "prices.yaml", "configs", "data", "students"):
        Path(name).symlink_to(REPOSITORY / name)
    shutil.copytree(REPOSITORY / "prompts", "prompts")
    text = (REPOSITORY / "params.yaml").read_text()
    for old, new in USED.items():
        assert old in text
        text = text.replace(old, new)
    Path("params.yaml").write_text(text)
    return workspace


def test_every_kind_of_prompt_is_checked(project: Path) -> None:
    """Single braces in each, as judges and students once had them; and a misspelt variable."""
    for path in sorted(Path("prompts").rglob("*.txt")):
        right = path.read_text()
        if "{{" not in right:
            continue
        for wrong, message in (
            (re.sub(r"\{\{ (\w+) \}\}", r"{\1}", right), "single braces are plain text"),
            (right + "{% if false %}{{ instuction }}{% endif %}", "unknown variable 'instuction'"),
        ):
            path.write_text(wrong)
            with pytest.raises(BadInput, match=rf"^{path}, line \d+: {message}"):
                check_all()
        path.write_text(right)
