"""`alpacare fetch` against a server on loopback; every row was written for this."""

import hashlib
import io
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import REPOSITORY
from hub_downloads import Hub, running_hub
from own_project import git, make_project

from alpacare.core import jsonl
from alpacare.core.settings import read_yaml
from alpacare.records.response import Response

COMMIT = "0123456789" * 4
HUB_FILE = f"hub://datasets/lab/set@{COMMIT}/data/train.parquet"
OUT = Path("data/imported/small.jsonl")
ROWS = [
    {"instruction": "Is tea good for a cold?", "input": "<noinput>", "output": "It soothes."},
    {"instruction": " Name this drug. ", "input": "It lowers LDL.", "output": "A statin."},
    {"instruction": "Say nothing.", "input": "", "output": ""},
    {"instruction": "Is tea good for a cold?", "input": "", "output": "Once more."},
]


def parquet(rows: list[dict[str, Any]]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file.getvalue()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    make_project(folder)
    return folder


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running_hub() as hub:
        hub.files["train.parquet"] = parquet(ROWS)
        yield hub


@pytest.fixture
def project(prepared: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = workspace / "project"
    shutil.copytree(prepared, folder)
    monkeypatch.chdir(folder)
    return folder


def catalogue(name: str = "small", **changes: Any) -> None:
    known = {
        "kind": "responses",
        "rows": 4,
        "model": "gpt-3.5-turbo",
        "licence": "CC BY-NC 4.0 (us)",
        "files": {HUB_FILE: None},
    }
    Path("configs/datasets.yaml").write_text(json.dumps({name: known | changes}))


def environment(hub: Hub) -> dict[str, str]:
    """Leave out what could lead elsewhere than to the server on loopback."""
    skipped = ("proxy", "HF_HUB_OFFLINE")
    own = {k: v for k, v in os.environ.items() if not any(name in k for name in skipped)}
    return {k: v for k, v in own.items() if "PROXY" not in k} | {
        "PYTHONPATH": str(REPOSITORY / "src"),
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": "hf_planted",
        "DVC_SITE_CACHE_DIR": str(Path.cwd().parent / "site"),
        "GIT_CONFIG_GLOBAL": os.devnull,
    }


def run(hub: Hub, *words: str, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    """Type the command, in a process of its own: the Hub's address is read once a process."""

    def restrict() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-m", "alpacare.cli.main", *words],
        env=environment(hub),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=restrict,
    )


def fail(hub: Hub, *words: str, limit: int | None = None) -> str:
    """Run a command that must print one line, leave no file and not print the key."""
    before = git(Path.cwd(), "status", "--short")
    done = run(hub, *words, limit=limit)
    assert done.returncode == 2, done.stdout + done.stderr
    (line,) = done.stderr.strip().splitlines()
    assert not OUT.exists()
    assert git(Path.cwd(), "status", "--short") == before
    assert "hf_planted" not in line
    return line


def test_published_answers_come_from_the_hub(project: Path, hub: Hub) -> None:
    catalogue()
    done = run(hub, "fetch", "small")
    assert done.returncode == 0, done.stderr
    rows = jsonl.read(OUT, Response, unique="id")
    assert [(row.instruction, row.input, row.output) for row in rows] == [
        ("Is tea good for a cold?", "", "It soothes."),
        ("Name this drug.", "It lowers LDL.", "A statin."),
    ]
    assert {row.model for row in rows} == {"gpt-3.5-turbo"}
    assert [row.request for row in rows] == ["small:1", "small:2"]
    dropped = Path("data/dropped/imported/small.jsonl").read_text()
    lost = [json.loads(line) for line in dropped.splitlines()]
    assert [(row["reason"], row["witness"]) for row in lost] == [
        ("no_response", "small:3"),
        ("same_task", "small:1"),
    ]
    for line in (
        "data/imported/small.jsonl: 2 of 4 rows",
        "dropped: 1 no_response",
        'repaired: inputs "<noinput>" read as none (1)',
        "licence: CC BY-NC 4.0 (us)",
        "sources.responses: imported/small",
    ):
        assert line in done.stdout
    record = read_yaml(Path(f"{OUT}.dvc"))
    assert record["meta"] == {"source": HUB_FILE, "licence": "CC BY-NC 4.0 (us)"}
    assert record["outs"][0]["md5"] == hashlib.md5(OUT.read_bytes()).hexdigest()
    listed = git(project, "add", "--all", "--dry-run").splitlines()
    assert listed == ["add 'configs/datasets.yaml'", f"add '{OUT}.dvc'"]
    assert hub.keys == [None], "the Hub's key does not go to its storage"
    assert not list(Path(".dvc/tmp/downloads").iterdir())


def test_an_interrupted_download_is_resumed(project: Path, hub: Hub) -> None:
    catalogue()
    hub.cut = 700
    line = fail(hub, "fetch", "small")
    assert "700 bytes are here: the same command goes on from there" in line
    assert run(hub, "fetch", "small").returncode == 0
    ranges = [part for _, path, part in hub.asked if path.startswith("/storage/")]
    assert ranges == [None, "bytes=700-"]
    assert len(OUT.read_text().splitlines()) == 2


def test_ctrl_c_keeps_what_arrived(project: Path, hub: Hub) -> None:
    catalogue()
    hub.cut, hub.hold = 700, True
    with subprocess.Popen(
        [sys.executable, "-m", "alpacare.cli.main", "fetch", "small"],
        env=environment(hub),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        parts = Path(".dvc/tmp/downloads")
        while not any(part.stat().st_size == 700 for part in parts.glob("*.part")):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    assert process.returncode == 130
    assert errors == (
        "stopped: nothing was made; 700 bytes are here: the same command goes on from there\n"
    )
    hub.hold = False
    assert run(hub, "fetch", "small").returncode == 0
    assert hub.asked[-1][2] == "bytes=700-"


def test_a_full_disk_is_one_line_and_the_rest_is_fetched_later(project: Path, hub: Hub) -> None:
    hub.files["train.parquet"] = parquet([row | {"output": os.urandom(9000).hex()} for row in ROWS])
    catalogue()
    line = fail(hub, "fetch", "small", limit=8192)
    assert "File too large; free some space, the same command goes on from there" in line
    assert run(hub, "fetch", "small").returncode == 0
    assert hub.asked[-1][2] == "bytes=8192-"


def test_other_bytes_than_the_hub_announced_are_refused(project: Path, hub: Hub) -> None:
    catalogue()
    hub.changed = True
    assert "is another file: SHA-256" in fail(hub, "fetch", "small")
    hub.changed = False
    assert run(hub, "fetch", "small").returncode == 0, "nothing of it was kept"


@pytest.mark.parametrize(
    ("trouble", "changes", "message"),
    [
        (
            {"status": 401},
            {},
            "the Hub answers 401: it does not exist, or wants its terms",
        ),
        ({"status": 503}, {}, "the Hub answers 503"),
        ({"files": {}}, {}, "the Hub answers 404"),
        ({"commit": "f" * 40}, {}, f"the Hub gives another commit, {'f' * 40}"),
        ({"url": "http://127.0.0.1:1"}, {}, "the Hub cannot be reached"),
        ({}, {"files": {HUB_FILE: "0" * 64}}, f"expected {'0' * 64}"),
        ({}, {"rows": 5}, "small: 4 rows came, but configs/datasets.yaml says that there are 5"),
        ({}, {"files": {HUB_FILE.replace(COMMIT, "main"): None}}, "write hub://datasets/ORG/NAME@"),
        ({}, {"model": None}, "'model' says who wrote responses"),
        ({"storage": "http://hf.co"}, {}, "sends the download on to http://hf.co, which is none"),
        ({"storage": "https://nothf.co"}, {}, "sends the download on to https://nothf.co, which"),
        ({"storage": "http://169.254.169.254"}, {}, "on to http://169.254.169.254, which is none"),
        ({"files": {"train.parquet": b"PAR1 and no more"}}, {}, "not a whole Parquet file"),
    ],
)
def test_what_can_go_wrong(
    project: Path, hub: Hub, trouble: dict[str, Any], changes: dict[str, Any], message: str
) -> None:
    catalogue(**changes)
    for name, value in trouble.items():
        setattr(hub, name, value)
    assert message in fail(hub, "fetch", "small")


def test_a_file_that_cannot_be_used_is_not_kept(project: Path, hub: Hub) -> None:
    catalogue(rows=5)
    fail(hub, "fetch", "small")
    assert not list(Path(".dvc/tmp/downloads").iterdir())
    catalogue()
    assert run(hub, "fetch", "small").returncode == 0


def test_what_dvc_has_staged_is_staged_with_the_licence(project: Path, hub: Hub) -> None:
    subprocess.run([sys.executable, "-m", "dvc", "config", "core.autostage", "true"], check=True)
    catalogue()
    assert run(hub, "fetch", "small").returncode == 0
    assert "licence: CC BY-NC 4.0 (us)" in git(project, "show", f":{OUT}.dvc")


def test_seeds_are_stored_unchanged_and_the_stage_reads_them(project: Path, hub: Hub) -> None:
    seed = json.loads((REPOSITORY / "data/seeds/medical.jsonl").read_text().splitlines()[0])
    seeds = [seed | {"difficulty": "3", "input": "<noinput>"}]
    hub.files["med_seed.json"] = json.dumps(seeds).encode()
    url = f"{hub.url}/{COMMIT}/med_seed.json"
    catalogue(kind="seeds", rows=1, model=None, files={url: None})
    done = run(hub, "fetch", "small")
    assert done.returncode == 0, done.stderr
    assert "sources.seeds: seeds/small" in done.stdout
    stage = [sys.executable, "-m", "alpacare.stages.seeds", "data/seeds/small.jsonl", "out.jsonl"]
    subprocess.run(
        [*stage, "--metrics", "m.json", "--table", "t.csv"],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY / "src")},
        check=True,
    )
    assert json.loads(Path("out.jsonl").read_text())["difficulty"] == 3
    assert "small.jsonl'" not in git(project, "add", "--all", "--dry-run")


def test_a_name_that_leads_out_of_the_folder_is_none(project: Path, hub: Hub) -> None:
    catalogue("../../evil")
    assert "'../../evil' is not a valid name: use letters, digits" in fail(
        hub, "fetch", "../../evil"
    )
    assert not list(project.parent.glob("evil*"))


def test_an_unknown_name_gets_the_known_ones(project: Path, hub: Hub) -> None:
    line = fail(hub, "fetch", "medinstruct")
    assert "no dataset 'medinstruct' in configs/datasets.yaml; there are: medinstruct-test" in line
    assert "is no test set but responses" in fail(hub, "test-set", "medinstruct-52k")
