"""`make repro` and `make buy`: what cannot be bought is said first, the rest is bought anywhere."""

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import pytest
from clones import Clone, quick_clone, ran
from loopback import running
from tasks import THREE_TASKS

pytestmark = pytest.mark.slow

ASKED = (
    ("  endpoint: recordings", "  endpoint: openai"),
    ("  model: demo-teacher", "  model: gpt-4o-mini"),
)
TEACHER = [*ASKED, *ASKED]  # of instructions, and of responses
COOLER = [("  temperature: 1.0 ", "  temperature: 0.9 ")]
PRICE = r", at most \$0\.\d\d"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    made = quick_clone(tmp_path_factory, "buying")
    venv = made.folder.parent / "venv"  # what `make` looks at: it installs nothing
    venv.mkdir()
    for lock in made.folder.glob("requirements*.lock"):
        shutil.copy(lock, venv)
    made.environment["ALPACARE_VENV"] = str(venv)
    return made


@contextmanager
def edited(clone: Clone, edits: Sequence[tuple[str, str]]) -> Iterator[None]:
    with ExitStack() as stack:
        for old, new in edits:
            stack.enter_context(clone.edited("params.yaml", old, new))
        yield


def outputs(clone: Clone) -> dict[str, bytes]:
    files = [
        path for name in ("data", "models", "metrics") for path in (clone.folder / name).rglob("*")
    ]
    return {str(path): path.read_bytes() for path in files if path.is_file()}


@pytest.mark.parametrize(
    ("edits", "environment", "told"),
    [
        (TEACHER, {"BUDGET": "5"}, PRICE + r": no API key for http\S+: export OPENAI_API_KEY"),
        (TEACHER, {"OPENAI_API_KEY": "sk-x"}, PRICE + ": BUDGET is not set"),
        (COOLER, {}, ": their endpoint has no server: undo the change"),
    ],
    ids=["no key", "no budget", "no server"],
)
def test_what_cannot_be_bought_is_said_before_anything_is_touched(
    clone: Clone, edits: Sequence[tuple[str, str]], environment: dict[str, str], told: str
) -> None:
    before = outputs(clone)
    with running() as server, edited(clone, edits):
        kept = dict(clone.environment)
        clone.environment |= {"OPENAI_BASE_URL": server.url, **environment}
        done = clone.run("make", "repro")
        clone.environment = kept
        assert server.state()["calls"] == 0
    lines = (done.stdout + done.stderr).strip().splitlines()
    assert done.returncode != 0
    assert len(lines) <= 3, lines
    assert re.search(rf"\d+ answers missing \(instructions 6.*\){told}", lines[0])
    assert outputs(clone) == before


def test_replies_that_cannot_be_read_are_told_before_they_are_asked_for_again(clone: Clone) -> None:
    before = outputs(clone)
    kept = dict(clone.environment)
    with running(faults={"message_text": 1.0}) as server, edited(clone, TEACHER):
        clone.environment |= {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "sk-x"}
        clone.environment |= {"BUDGET": "5"}
        assert clone.run("dvc", "repro", "instructions").returncode
        clone.ok("dvc", "checkout")
        calls = server.state()["calls"]
        done = clone.run("make", "repro")
        assert server.state()["calls"] == calls > 0
    clone.environment = kept
    assert done.returncode
    assert "replies that were paid for cannot be read (`alpacare ledger unread`" in done.stderr
    assert outputs(clone) == before


def test_the_command_of_the_quote_buys_without_a_gpu(clone: Clone) -> None:
    weights = (clone.folder / "models/checkpoint/all-rows/0/model.safetensors").read_bytes()
    with running(text=THREE_TASKS, finish_reason="stop") as server:
        clone.environment |= {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "sk-x"}
        with edited(clone, [*TEACHER, ("hardware: cpu", "hardware: one-gpu")]):
            refused = clone.run("make", "repro")
            assert refused.returncode != 0
            assert "`make buy` buys the answers" in refused.stderr
            quote = clone.ok("make", "quote")
            (command,) = re.findall(r"^  (BUDGET=\S+ make buy)$", quote, re.MULTILINE)
            cells = ran(clone.ok("bash", "-c", command))
            assert "the pipeline costs nothing" in clone.ok("make", "quote")
            del clone.environment["OPENAI_API_KEY"]
            (clone.folder / ".ledger").rename(clone.folder.parent / "elsewhere")
            clone.ok("alpacare", "check", "--run", "responses")  # up to date, so nothing is asked
        assert server.state()["calls"] == 6 + 12
    assert {"instructions", "filtered", "responses"} <= set(cells)
    assert not [cell for cell in cells if cell.startswith(("base_model", "checkpoint", "gener"))]
    assert (clone.folder / "models/checkpoint/all-rows/0/model.safetensors").read_bytes() == weights
