"""Every test works in a folder of its own, with no ledger, key or budget of the machine's user."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from hypothesis import settings

import alpacare.compute.determinism  # noqa: F401  how threads wait is set before torch comes

if TYPE_CHECKING:
    from loopback import Running

REPOSITORY = Path(__file__).parents[1]

# What a script starts in its background ignores Ctrl-C, and so does what it starts: tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# a shared machine may take long for one example; the same code passes or fails alike each time
settings.register_profile("same examples", deadline=None, derandomize=True)
settings.register_profile("new examples", deadline=None, print_blob=True)
settings.load_profile("same examples")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The pipeline first: it takes half the time, and another process does the rest meanwhile.

    Its other files last: two trainings at once on two cores are slower than one after the other.
    But for one, which makes the quick pipeline that they copy: so they do not wait for one another.
    """

    def turn(item: pytest.Item) -> int:
        if "pipeline" not in item.path.parts or item.path.stem == "test_private":
            return 1
        return 0 if item.path.stem == "test_pipeline" else 2

    items.sort(key=turn)


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory; variables that could reach out of it are gone."""
    for name in ("DVC_ROOT", "DVC_STAGE", "OPENAI_API_KEY", "OPENAI_BASE_URL", "BUDGET",
                 "ALPACARE_LEDGER",
                 # what the stage `benchmarks` sets in its own process, which tests are too
                 "HF_DATASETS_OFFLINE", "HF_EVALUATE_OFFLINE", "TQDM_DISABLE"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def params(workspace: Path) -> Path:
    """The checked-in params.yaml, to be edited by a test."""
    path = workspace / "params.yaml"
    path.write_text((REPOSITORY / "params.yaml").read_text())
    return path


@pytest.fixture(scope="session")
def one_server() -> Iterator["Running"]:
    """For `server`: starting one takes longer than most tests."""
    from loopback import running

    with running() as server:
        yield server


@pytest.fixture
def server(one_server: "Running") -> "Running":
    """A loopback server as good as new, for tests that leave no call under way."""
    one_server.reset()
    return one_server


def run(command: object, *arguments: object) -> Result:
    """Run a Click command as a user would."""
    return CliRunner().invoke(command, [str(a) for a in arguments])  # type: ignore[arg-type]
