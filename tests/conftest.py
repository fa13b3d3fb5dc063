"""Every test works in a folder of its own, with no ledger, key or budget of the machine's user."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory; variables that could reach out of it are gone."""
    for name in ("DVC_ROOT", "DVC_STAGE", "OPENAI_API_KEY", "BUDGET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def params(workspace: Path) -> Path:
    """The checked-in params.yaml, to be edited by a test."""
    path = workspace / "params.yaml"
    path.write_text((REPOSITORY / "params.yaml").read_text())
    return path


def run(command: object, *arguments: object) -> Result:
    """Run a Click command as a user would."""
    return CliRunner().invoke(command, [str(a) for a in arguments])  # type: ignore[arg-type]
