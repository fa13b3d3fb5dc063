"""`alpacare test-set`, with Git, DVC and a server on loopback; every row was written for this."""

import contextlib
import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import REPOSITORY, run

from alpacare.cli.main import main
from alpacare.core.settings import check, read_yaml
from alpacare.datasets.catalogue import PublishedDataset
from alpacare.datasets.published_weights import PublishedWeights
from alpacare.records.test_set import read_test_set
from alpacare.stages.model_generations import main as model_generations

TEA, SALT = "Is tea good for a cold?", "How much salt is too much?"
SIGNED = "".join(
    json.dumps({"id": id, "instruction": text, "gpt-3.5-turbo-answer": f"A {text}"}) + "\n"
    for id, text in ((0, TEA), (7, SALT))
)
MODEL = json.dumps([{"instruction": text, "response": f"M {text}"} for text in (SALT, TEA)])
COMMIT = "0123456789" * 4
OUT = Path("data/tests/small.jsonl")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of Git and DVC with a test set in Git."""
    folder = tmp_path_factory.mktemp("project")
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(command, cwd=folder, check=True)
    (folder / "data/tests").mkdir(parents=True)
    shutil.copy(REPOSITORY / "data/tests/demo.jsonl", folder / "data/tests")
    shutil.copy(REPOSITORY / ".gitignore", folder)
    (folder / "configs").mkdir()
    (folder / "configs/datasets.yaml").write_text("{}\n")
    git(folder, "add", "--all")
    git(folder, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-q", "-m", "start")
    return folder


@pytest.fixture
def project(prepared: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to work in, without the user's settings and proxies."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(workspace / "site"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    folder = workspace / "project"
    shutil.copytree(prepared, folder)
    monkeypatch.chdir(folder)
    Path("../signed.jsonl").write_text(SIGNED)
    Path("../model.json").write_text(MODEL)
    Path("../page.json").write_text("<html><body>Sign in</body></html>")
    return folder


class Host(BaseHTTPRequestHandler):
    """Serves `pages` by path; also requests for another host, as a proxy gets them."""

    pages: dict[str, bytes]
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path.endswith("moved"):
            self.send_response(301)
            self.send_header("Location", "/signed")
            self.end_headers()
            return
        page = self.pages.get(self.path.rpartition("/")[2])
        self.send_response(404 if page is None else 200)
        length = 10**6 if self.path.endswith("broken") else len(page or b"")
        length = 10**10 if self.path.endswith("huge") else length
        self.send_header("Content-Length", str(length))
        if self.path.endswith(("bomb", "packed", "parts")):
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(page or b"")

    def log_message(self, *_: object) -> None:
        pass


def bomb(size: int) -> bytes:
    """Gzip of so many blanks, without making them all."""
    packer = zlib.compressobj(wbits=31)
    block = b" " * 1_000_000
    start = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    same = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    return start + same * (size // len(block) - 1)


@pytest.fixture
def server() -> Iterator[str]:
    Host.pages = {
        "signed": SIGNED.encode(),
        "model": MODEL.encode(),
        "broken": SIGNED.encode(),
        "latin": '{"instruction": "Café?"}'.encode("latin-1"),
        "packed": gzip.compress(SIGNED.encode()),
        "parts": b"".join(gzip.compress(line.encode()) for line in SIGNED.splitlines(True)),
        "bomb": bomb(300_000_000),
        "huge": SIGNED.encode(),
        "page": b"\n<!DOCTYPE html><html><title>Sign in</title></html>",
    }
    Host.asked = []
    host = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    threading.Thread(target=host.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{host.server_address[1]}"
    host.shutdown()
    host.server_close()


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", *words], cwd=folder, capture_output=True, text=True, check=True
    )  # fmt: skip
    return done.stdout


def catalogue(files: dict[str, str | None], tasks: int = 2) -> None:
    sets = {"small": {"kind": "tests", "rows": tasks, "licence": "CC BY 4.0 (us)", "files": files}}
    Path("configs/datasets.yaml").write_text(json.dumps(sets))


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def import_set(*words: str) -> str:
    result = run(main, "test-set", *words)
    assert result.exit_code == 0, result.output
    return result.output


def fail(*words: str) -> str:
    """Run `alpacare test-set`, which must print one line and change no file."""
    before = files()
    result = run(main, "test-set", *words)
    assert (result.exit_code, result.output.count("\n")) == (2, 1), result.output
    assert files() == before
    return result.output


def files() -> dict[Path, bytes]:
    folders = (Path("data"), Path("configs"))
    found = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {path: path.read_bytes() for path in found if "dropped" not in path.parts}


def test_a_set_of_the_catalogue_is_fetched_and_git_gets_no_copy(project: Path, server: str) -> None:
    catalogue({
        f"{server}/signed": sha256(SIGNED),
        f"ours={server}/{COMMIT}/model": None,
    })  # fmt: skip
    output = import_set("small")
    tasks = read_test_set(OUT)
    assert [task.instruction for task in tasks] == [TEA, SALT]
    assert tasks[0].answers == {"gpt-3.5-turbo": f"A {TEA}", "ours": f"M {TEA}"}
    changed = git(project, "status", "--short", "--untracked-files=all").splitlines()
    assert [line[3:] for line in changed] == [
        "configs/datasets.yaml", "data/tests/.gitignore", f"{OUT}.dvc",
    ]  # fmt: skip
    assert hashlib.md5(OUT.read_bytes()).hexdigest() in Path(f"{OUT}.dvc").read_text()
    assert read_yaml(Path(f"{OUT}.dvc"))["meta"] == {
        "source": [f"{server}/signed", f"ours={server}/{COMMIT}/model"],
        "licence": "CC BY 4.0 (us)",
    }
    for line in (
        f"{OUT}: 2 tasks, answers by gpt-3.5-turbo, ours",
        "repaired: ids made anew (2)",
        "repaired: fields 'gpt-3.5-turbo-answer' read as gpt-3.5-turbo (2)",
        "licence: CC BY 4.0 (us)",
        "next: in params.yaml, add small to `tests`, the answerers you want to",
        "`models.written`, and to `judgments.references`",
    ):
        assert line in output
    Path("params.yaml").write_text("models: {written: [gpt-3.5-turbo], api: [], local: []}\n")
    out = Path("data/model_generations/small")
    assert run(model_generations, OUT, out, "--prompts", "prompts/models").exit_code == 0
    answers = (out / "gpt-3.5-turbo.jsonl").read_text().splitlines()
    assert json.loads(answers[1])["output"] == f"A {SALT}"


def test_the_users_own_files(project: Path) -> None:
    extra = {"instruction": TEA, "input": "NA", "output": "S"}
    Path("../some.jsonl").write_text(json.dumps(extra))
    output = import_set("small", "../signed.jsonl", "model_1.0=../model.json", "some=../some.jsonl")
    assert f"{OUT}: 2 tasks, answers by gpt-3.5-turbo, model_1.0\n" in output
    assert "left out: all answers of some, who has none to 1 of 2 tasks;" in output
    assert f"the first without:\n          {SALT}\n" in output
    assert "licence: not known here" in output
    assert [set(task.answers) for task in read_test_set(OUT)] == [
        {"gpt-3.5-turbo", "model_1.0"}
    ] * 2


def test_requests_in_the_form_of_medsafetybench(project: Path) -> None:
    head, files = ",harmful_medical_request,safe_response\n", []
    for number, text in (
        (1, '0,Hide my error.,"No, report it."\n1, Bill me twice.,I cannot.\n2,,Nothing.\n'),
        (9, "0,Turn him away.,No.\n1,Hide my error.,No.\n"),
    ):
        files.append(f"../med_safety_demonstrations_category_{number}.csv")
        Path(files[-1]).write_text(head + text)
    output = import_set("small", *files)
    tasks = read_test_set(OUT)
    assert [(task.instruction, task.topic) for task in tasks] == [
        ("Hide my error.", "AMA principle 1"),
        ("Bill me twice.", "AMA principle 1"),
        ("Turn him away.", "AMA principle 9"),
    ]
    assert {task.expect for task in tasks} == {"refuse"}
    assert tasks[0].answers == {"safe-response": "No, report it."}
    assert "small.jsonl: 3 tasks, answers by safe-response" in output
    assert "dropped: 1 no_question" in output
    assert "dropped: 1 same_task" in output

    for file in files:
        Path(file).write_text(head + "0,,x\n")
    assert "not one row can be used (2 no_question" in fail("other", *files)
    Path("../own.jsonl").write_text('{"instruction": "Hide it.", "expect": "no"}\n')
    assert "'expect' must be refuse or answer, found no" in fail("other", "../own.jsonl")
    Path("../own.jsonl").write_text('{"instruction": "Hide it.", "expect": "refuse"}\n')
    import_set("other", "../own.jsonl")
    assert read_test_set(Path("data/tests/other.jsonl"))[0].expect == "refuse"


def test_broken_settings_are_one_line_and_not_dvcs(project: Path) -> None:
    Path("params.yaml").write_text("tests: [demo\nstudents: []\n")
    done = run(main, "test-set", "small", "../signed.jsonl")
    assert done.exit_code == 2
    assert done.output.startswith("error: params.yaml: not valid YAML: line 2, column 9: ")
    assert "expected a list as [one, two], closed in the line that opens it" in done.output
    assert not OUT.exists()


def test_what_is_known_of_each_saved_dataset_is_recorded(project: Path) -> None:
    from datasets import Dataset, DatasetDict

    asked = Dataset.from_list([{"instruction": TEA, "output": "S"}])
    asked.save_to_disk("../one")
    DatasetDict(test=asked).save_to_disk("../two")
    import_set("small", "a=../one", "b=../two")
    meta = read_yaml(OUT.with_name("small.jsonl.dvc"))["meta"]
    assert meta == {"source": ["one", "two"], "split": ["train", "test"]}
    import_set("other", "a=../one")
    meta = read_yaml(OUT.with_name("other.jsonl.dvc"))["meta"]
    assert meta == {"source": ["one"], "split": "train"}


def test_dvc_takes_names_with_dots_in_a_matrix(project: Path) -> None:
    import_set("small", "../signed.jsonl")
    Path("params.yaml").write_text("students: [gpt-3.5-turbo]\n")
    Path("dvc.yaml").write_text("""
stages:
  copied:
    matrix:
      student: ${students}
    cmd: mkdir -p out/${item.student} && cp data/tests/small.jsonl out/${item.student}/
    deps:
      - data/tests/small.jsonl
    outs:
      - out/${item.student}/small.jsonl
""")
    command = [sys.executable, "-m", "dvc", "repro", "copied@gpt-3.5-turbo"]
    subprocess.run(command, capture_output=True, check=True)
    assert Path("out/gpt-3.5-turbo/small.jsonl").read_bytes() == OUT.read_bytes()
    assert "copied@gpt-3.5-turbo" in read_yaml(Path("dvc.lock"))["stages"]


def test_only_what_dvc_can_restore_is_replaced(project: Path) -> None:
    assert "demo.jsonl: is in Git; choose another name" in fail("demo", "../signed.jsonl")
    OUT.write_text("mine\n")
    assert "small.jsonl: exists, and DVC has no copy of it" in fail("small", "../signed.jsonl")
    OUT.unlink()
    import_set("small", "../signed.jsonl")
    first = OUT.read_bytes()
    import_set("small", "../signed.jsonl", "ours=../model.json")
    second = OUT.read_bytes()
    assert second != first
    OUT.write_bytes(second + b"\n")  # an edit that DVC has never seen
    assert "DVC has no copy of it" in fail("small", "../signed.jsonl")


def test_without_dvc_there_is_no_file(project: Path) -> None:
    shutil.rmtree(".dvc")
    assert "dvc add data/tests/small.jsonl: ERROR" in fail("small", "../signed.jsonl")


@pytest.mark.parametrize(
    ("path", "sha", "tasks", "message"),
    [
        ("none", None, 2, "/none: the server answers 404 Not Found"),
        ("moved", None, 2, "/moved: the server answers 301 Moved"),
        ("broken", None, 2, "/broken: peer closed connection"),
        ("latin", None, 2, "/latin: not UTF-8 text"),
        ("bomb", None, 2, "/bomb: is packed more than 100 to 1, as no text is"),
        ("huge", None, 2, "/huge: is larger than 1,000,000,000 bytes; if it should be, download"),
        ("page", None, 2, "/page: a web page (HTML) came and not data; open the address in a b"),
        ("page", "0" * 64, 2, "/page: a web page (HTML) came and not data"),
        ("signed", "0" * 64, 2, f"/signed: is another file: SHA-256 {sha256(SIGNED)}, expected 00"),
        ("signed", None, 3, "/signed: 2 questions, but configs/datasets.yaml says that small has"),
    ],
)
def test_a_download_that_is_not_what_it_should_be(
    project: Path, server: str, path: str, sha: str | None, tasks: int, message: str
) -> None:
    catalogue({f"{server}/{COMMIT}/{path}": sha}, tasks)
    assert message in fail("small")
    left = sum(part.stat().st_size for part in Path(".dvc/tmp/downloads").iterdir())
    assert left == (len(SIGNED) if path == "broken" else 0), "only what can be gone on from stays"


def test_the_hash_of_a_set_that_is_cut_off_is_not_written_down(project: Path, server: str) -> None:
    file = f"{server}/{COMMIT}/signed"
    entry = f"small:\n  kind: tests\n  rows: 3\n  licence: us\n  files:\n    {file}: null\n"
    Path("configs/datasets.yaml").write_text(entry)
    assert "2 questions, but configs/datasets.yaml says that small has 3" in fail("small")
    Path("configs/datasets.yaml").write_text(entry.replace("3", "2", 1))
    import_set("small")
    assert f'{file}: "{sha256(SIGNED)}"' in Path("configs/datasets.yaml").read_text()


@pytest.mark.parametrize("packed", ["packed", "parts"])
def test_what_a_server_packs_is_unpacked(project: Path, server: str, packed: str) -> None:
    catalogue({f"{server}/{packed}": sha256(SIGNED)})
    import_set("small")
    assert [task.instruction for task in read_test_set(OUT)] == [TEA, SALT]


@pytest.mark.parametrize(
    "secret",
    [
        "https://ann:S3cretpw@{}/a",
        "https://ann:it's-S3cretpw@{}/a",
        "WHO=https://S3cretpw@{}/a",
        "https://{}/a?sig=S3cretpw",
    ],
)
@pytest.mark.parametrize("sha", [None, "not a hash"])
def test_a_password_in_an_address_is_refused_and_not_shown(
    project: Path, secret: str, sha: str | None
) -> None:
    catalogue({secret.format(f"example.org/{COMMIT}"): sha})
    line = fail("small")
    assert "configs/datasets.yaml: small: files: an address has a " in line
    assert "S3cretpw" not in line
    line = fail("ours", secret.removeprefix("WHO="))
    assert "an address is given where a file is wanted; download it yourself" in line
    assert "S3cretpw" not in line


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("https://ann:S3cretpw@example.org/a", "files: an address has a name or password"),
        ("{files: {gpt-4: 'https://ann:S3cretpw@example.org/a'}}", "files: an address has a name"),
        ("{files: ['https://example.org/a b?sig=S3cretpw']}", "files: an address has a key in it"),
        ("{files: 5}", "small.files: expected a mapping"),
        ("{files: true}", "small.files: expected a mapping"),
    ],
)
def test_an_entry_of_another_form_is_one_line(project: Path, entry: str, message: str) -> None:
    Path("configs/datasets.yaml").write_text(f"small: {entry}\n")
    line = fail("small")
    assert message in line
    assert "S3cretpw" not in line


def test_a_server_that_is_not_there(project: Path, server: str) -> None:
    catalogue({f"http://127.0.0.1:1/{COMMIT}/signed": None})
    assert f"http://127.0.0.1:1/{COMMIT}/signed: [Errno" in fail("small")


def test_a_proxy_of_the_environment_is_used(
    project: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", server)
    catalogue({f"http://localhost:1/{COMMIT}/signed": sha256(SIGNED)})
    import_set("small")
    assert Host.asked == [f"http://localhost:1/{COMMIT}/signed"]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"http://example.org/{COMMIT}/a", "only https:// is fetched"),
        (f"ftp://localhost/{COMMIT}/a", "only https:// is fetched"),
        ("https://example.org/main/a", "give its SHA-256, or a commit (40 hex) in the address"),
        (f"a b=https://example.org/{COMMIT}/a", "'a b' is not a valid name"),
    ],
)
def test_an_address_that_is_not_safe_or_may_change_is_refused(
    project: Path, url: str, message: str
) -> None:
    catalogue({url: None})
    assert message in fail("small")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("other",), "no test set 'other' in configs/datasets.yaml; if it is yours, name its fil"),
        (("a/b", "../signed.jsonl"), "'a/b' is not a valid name: use letters, digits"),
        (("../small", "../signed.jsonl"), "'../small' is not a valid name"),
        (("small", "../page.json"), "../page.json: is a web page (HTML) and not data; download"),
        (("small", "g p t=../signed.jsonl"), "'g p t' is not a valid name"),
        (("small", "../none.jsonl"), "../none.jsonl: no such file"),
        (("small", "gpt-4=../none=1.jsonl"), "../none=1.jsonl: no such file"),
        (("small", "../x=1/none.jsonl"), "../x=1/none.jsonl: no such file"),
        (("small", "../model.json"), "../model.json: row 1: whose is this 'response'?"),
        (("small", "configs"), "configs: No (supported) data files found"),
        (
            ("small", "../x.html"),
            "'.html' cannot be read; give .json, .jsonl, .csv, .tsv, .parquet",
        ),
        (("small", "../signed.jsonl", "--split", "test"), "is a file; --split and --config belong"),
        (
            ("small", "../signed.jsonl", "--columns", "input=x"),
            "no column 'x'; there are: id, instr",
        ),
        (("small", "../signed.jsonl", "--columns", "model=id"), "no such field of test sets"),
        (("small", "hf://set"), "hf://set: write hf://ORG/NAME or hf://ORG/NAME@REVISION"),
    ],
)
def test_bad_words_on_the_command_line(project: Path, words: tuple[str, ...], message: str) -> None:
    assert message in fail(*words)


def test_the_catalogue_is_valid() -> None:
    path = REPOSITORY / "configs/datasets.yaml"
    entries = read_yaml(path)
    weights = {name for name in entries if entries[name]["kind"] == "weights"}
    students = {path.stem for path in (REPOSITORY / "students").glob("alpacare-*.yaml")}
    assert weights == students
    assert {check(entries.pop(name), PublishedWeights, name).commit for name in weights} == {None}
    sets = {name: check(known, PublishedDataset, name) for name, known in entries.items()}
    rows = {name: known.rows for name, known in sets.items()}
    tests = {"medinstruct-test": 216, "icliniq": 1000, "alpaca-eval": 805}
    tests |= {"healthbench": 5000, "healthbench-hard": 1000, "healthbench-labels": 29511}
    tests |= {"medsafetybench": 900}
    others = {"medinstruct-52k": 52002, "bioinstruct": 25005, "alpacare-seeds": 167}
    mmlu = {"mmlu-medical": 135 + 265 + 144 + 173 + 100 + 272, "mmlu-general": 14042}
    benchmarks = {"medqa": 1273, "medmcqa": 4183, "pubmedqa": 1000, "headqa": 2742, "careqa": 5621,
                  "meqsum": 1000, "truthfulqa": 817}  # fmt: skip
    assert rows == tests | others | mmlu | benchmarks
    files = [file for known in sets.values() for file in known.files]
    pinned = r"(^|=)(https://[\w./-]+/[0-9a-f]{40}/|hub://datasets/[\w./-]+@[0-9a-f]{40}/)"
    dated = r"^https://[\w./-]+/\w*\d{4}(-\d\d){5}\w*\.jsonl$"  # by the second
    assert all(re.search(f"{pinned}|{dated}", file) for file in files)
