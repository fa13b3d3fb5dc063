"""`alpacare diff` in a small project of Git and DVC: two commits, and a remote in a folder."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from conftest import REPOSITORY, run

from alpacare.cli.main import main
from alpacare.records.task import row_id

PIPELINE = """\
stages:
  generations:
    matrix: &tests {test: [demo]}
    cmd: "false"
    outs: ["data/generations/${item.test}.jsonl"]
  base_generations:
    matrix: *tests
    cmd: "false"
    outs: ["data/base_generations/${item.test}.jsonl"]
  references:
    matrix: *tests
    cmd: "false"
    outs: ["data/references/${item.test}"]
  judgments:
    matrix: *tests
    cmd: "false"
    deps:
      - data/generations/${item.test}.jsonl
      - data/references/${item.test}
      - prompts/judges
    outs: ["data/judgments/${item.test}"]
  scores:
    matrix: *tests
    cmd: "false"
    deps: ["data/judgments/${item.test}"]
    outs: ["metrics/scores/${item.test}": {cache: false}]
"""
# What acts on a page, on a terminal, and on rich.
EVIL = "[bold]x[/bold] :smile:\n````\n# Not a heading\n<script>\x1b[31mred\u202e"
INSTRUCTIONS = [f"Question {n}?" for n in range(12)]
IDS = [row_id(text, "") for text in INSTRUCTIONS]
TERSE, THOROUGH = (f"data/judgments/demo/{name}/overlap.jsonl" for name in ("terse", "thorough"))


def write(path: str, rows: list[dict[str, Any]]) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).unlink(missing_ok=True)  # it may be a link into the cache
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_answers(path: str, who: str, outputs: list[str], **more: Any) -> None:
    rows = zip(IDS, INSTRUCTIONS, outputs, strict=True)
    write(
        path,
        [
            {"id": id, "instruction": text, "input": "", "output": output}
            | {"generator": who, "finish_reason": "stop"}
            | more
            for id, text, output in rows
        ],
    )


def write_verdicts(path: str, verdicts: list[str | None], raw: str = "") -> None:
    """Verdicts as older commits have them: one sample, and no word of samples."""
    orders = ("model_first", "reference_first")
    write(
        path,
        [
            {"id": id, "order": order, "verdict": verdict, "raw": raw, "request": ""}
            for id, verdict in zip(IDS, verdicts, strict=True)
            for order in orders
        ],
    )


def write_score(win_rate: float, **more: Any) -> None:
    for reference in ("terse", "thorough"):
        path = Path(f"metrics/scores/demo/{reference}/overlap.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"win_rate": win_rate, **more}))


def git(*arguments: str) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@localhost")
    subprocess.run(["git", *who, *arguments], check=True, capture_output=True)


def dvc(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "dvc", *arguments], check=True, capture_output=True)


def commit(message: str) -> None:
    dvc("commit", "--force")  # what stands there is what the stages made
    git("add", "--all")
    git("commit", "-q", "-m", message)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three commits: no pipeline; then, all lost to terse; now, eight of twelve won."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("DVC_SITE_CACHE_DIR", str(folder.parent / "site"))
        patch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
        make_project()
    return folder


def make_project() -> None:
    git("init", "-q", "-b", "main")
    dvc("init", "-q")
    dvc("remote", "add", "-d", "storage", "../store")
    Path(".gitignore").write_text("/data/\n/reports/\n")
    shutil.copytree(REPOSITORY / "prompts/judges/overlap", "prompts/judges/overlap")
    git("add", "--all")
    git("commit", "-q", "-m", "no pipeline yet")
    params = (REPOSITORY / "params.yaml").read_text()
    assert "references: [thorough, terse, base]" in params
    params = params.replace("references: [thorough, terse, base]", "references: [terse, thorough]")
    assert "judges: [overlap, longest]" in params
    Path("params.yaml").write_text(params.replace("[overlap, longest]", "[overlap]"))
    Path("dvc.yaml").write_text(PIPELINE)
    write_answers("data/generations/demo.jsonl", "student", [f"old {n}" for n in range(12)])
    write_answers("data/base_generations/demo.jsonl", "base", ["base"] * 12)
    write_answers("data/references/demo/terse.jsonl", "terse", ["short"] * 12)
    write_answers("data/references/demo/thorough.jsonl", "thorough", ["the the"] * 12)
    write_verdicts(TERSE, ["reference"] * 12)
    write_verdicts(THOROUGH, ["model"] * 12)
    write_score(0.25, of_old=1)
    commit("then")
    write_answers("data/generations/demo.jsonl", "student", [f"new {n}" for n in range(12)])
    write_verdicts(TERSE, ["model"] * 8 + ["reference"] * 4, raw="Output (a)")
    write_score(0.75)
    commit("now")


@pytest.fixture
def project(prepared: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to work in."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(workspace / "site"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    folder = workspace / "project"
    shutil.copytree(prepared, folder)
    monkeypatch.chdir(folder)
    return folder


def diff(rev: str = "HEAD~1", status: int = 0, page: str = "reports/diff.md") -> Result:
    result = run(main, "diff", rev, "--out", page)
    assert result.exit_code == status, result.output
    return result


def table(output: str) -> list[list[str]]:
    """The lines of the table, as cells."""
    return [re.split(r"  +", line.strip()) for line in output.splitlines() if " overlap " in line]


def test_each_reference_and_their_average_with_interval_and_sentence(project: Path) -> None:
    told = diff().output
    terse, thorough, both = table(told)
    assert terse[0].split() + terse[1:-2] == ["demo", "terse", "overlap", "0.0", "66.7"]
    assert re.fullmatch(r"66\.7 \(\d\d\.\d to \d\d\.\d\)", terse[-2])
    assert terse[-1] == "8/12"
    assert thorough[-4:] == ["100.0", "100.0", "0.0 (-26.5 to 26.5)", "0/12"]
    assert both[-4:-2] == ["50.0", "83.3"]
    assert both[-2].startswith("33.3 (")
    assert "demo, overlap: The student gained 66.7 points against terse (" in told
    assert "): more than chance at 12 items." in told
    assert "No change against thorough: 12 items score as before (-26.5 to 26.5)." in told
    assert "gained 33.3 points against the mean of 2 (" in told
    assert "changed too" not in told, "the reference and the judge stand as they stood"


def test_the_other_way_round_the_student_lost(project: Path) -> None:
    git("checkout", "-q", "HEAD~1")
    shutil.rmtree("data")
    dvc("checkout")
    told = diff("main").output
    assert "The student lost 66.7 points against terse (-" in told


def test_a_change_that_may_be_chance_says_what_n_would_show_it(project: Path) -> None:
    write_verdicts(TERSE, ["model", "tie"] + ["reference"] * 10)
    told = diff().output
    assert "No change that 12 items could show against terse: 12.5 points (0.0 to " in told
    assert "; to see a change of this size it would take about 49 items." in told


def test_flipped_items_are_shown_with_their_texts(project: Path) -> None:
    told = diff().output
    assert "demo, terse, overlap: 8 flipped, 8 loss to win" in told
    assert "demo, thorough, overlap: no item flipped" in told
    shown = "  loss to win: Question 0?\n    then: old 0\n    now:  new 0\n"
    assert shown in told
    assert told.count("loss to win: Question") == 3
    page = Path("reports/diff.md").read_text()
    assert page.count("### ") == 8
    assert "## demo, terse, overlap\n\n8 items flipped: 8 loss to win." in page
    for label, text in [
        ("Instruction", "Question 7?"),
        ("Student then", "old 7"),
        ("Student now", "new 7"),
        ("Reference", "short"),
        ("Judge then, student first: reference", ""),
        ("Judge now, reference first: student", "Output (a)"),
    ]:
        assert f"{label}:\n\n```text\n{text}\n```" in page


def test_texts_can_break_neither_page_nor_terminal(project: Path) -> None:
    write_answers("data/generations/demo.jsonl", "student", [EVIL] * 12)
    write_verdicts(TERSE, ["model"] * 12, raw=EVIL)
    told = diff().output
    page = Path("reports/diff.md").read_text()
    for text in (told, page):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\\x1b[31mred\\u202e" in text
    assert "[bold]x[/bold] :smile: ```` # Not a heading <script>" in told
    block = "`````text\n[bold]x[/bold] :smile:\n````\n# Not a heading\n<script>\\x1b[31mred\\u202e"
    assert f"{block}\n`````" in page


def test_items_that_cannot_be_compared_are_counted(project: Path) -> None:
    write_verdicts(TERSE, ["model"] * 8 + ["reference"] * 3 + [None])
    rows = Path(TERSE).read_text().splitlines(keepends=True)
    other = [row.replace(IDS[0], "ffffffffffffffff") for row in rows[:2]]
    Path(TERSE).write_text("".join([*rows[2:], *other]))
    told = diff().output
    assert table(told)[0][-1] == "7/10"
    counts = "1 without readable verdicts then or now, 1 only at HEAD~1, 1 only now"
    assert f"  left out: {counts}" in told


def test_what_changed_besides_the_student_is_said(project: Path) -> None:
    settings = Path("prompts/judges/overlap/settings.yaml")
    settings.write_text(settings.read_text().replace("0.0", "0.1"))
    write_answers("data/references/demo/terse.jsonl", "terse", ["shorter"] * 12)
    write_answers("data/references/demo/thorough.jsonl", "thorough", ["the the"] * 12, tokens=2)
    dvc("commit", "--force")
    told = diff().output
    alone = "changed too: the difference may not be the student's alone"
    assert f"prompts/judges/overlap/ {alone} (every comparison)" in told
    assert f"data/references/demo/terse.jsonl {alone} (demo, terse, overlap)" in told
    assert "data/references/demo/thorough" not in told, "its answers are the same"
    page = Path("reports/diff.md").read_text()
    assert "Reference then:\n\n```text\nshort\n```\n\nReference now:\n\n```text\nshorter" in page


def test_without_cache_and_outputs_all_comes_from_the_remote(project: Path) -> None:
    with_cache = diff().output
    Path("../store").mkdir()
    shutil.move(".dvc/cache/files", "../store/files")
    shutil.rmtree("data")
    assert diff().output == with_cache


def test_what_the_cache_has_needs_no_remote(project: Path) -> None:
    """Not even DVC's plugin for it, which a plain installation lacks."""
    dvc("remote", "modify", "storage", "url", "azure://nowhere/x")
    git("commit", "-q", "-am", "another remote")
    assert "gained 66.7" in diff("HEAD~2").output
    shutil.rmtree(".dvc/cache")
    told = diff("HEAD~2", status=2).output
    assert "(the remote says: azure is supported, but requires 'dvc-azure' to be installed)" in told


def test_verdicts_that_are_nowhere_leave_the_rates_that_git_has(project: Path) -> None:
    shutil.rmtree(".dvc/cache")
    result = diff(status=2)
    lines = [
        f"HEAD~1:{TERSE}: neither in DVC's cache nor in its remote; run `dvc push --all-commits` "
        "where it was made",
        "demo, terse, overlap: 25.0 % then, 75.0 % now "
        "(metrics/scores/demo/terse/overlap.json); not paired, so no interval",
        "error: HEAD~1: nothing could be compared test item by test item",
    ]
    for line in lines:
        assert line in result.output.splitlines()
    assert not Path("reports").exists()


def test_one_reference_is_compared_where_the_other_is_nowhere(project: Path) -> None:
    forget(THOROUGH)
    told = diff().output
    assert len(table(told)) == 1
    assert "against terse" in told
    assert f"HEAD~1:{THOROUGH}: neither in DVC's cache nor in its remote" in told


def forget(path: str) -> None:
    """Remove from the cache what HEAD~1 has there, alone or in a folder."""
    listed = subprocess.run(
        ["git", "show", "HEAD~1:dvc.lock"], check=True, capture_output=True, text=True
    ).stdout
    hashes = dict(re.findall(r"path: (\S+)\n\s+hash: md5\n\s+md5: (\S+)", listed))
    folder = next((each for each in hashes if path.startswith(f"{each}/")), None)
    if folder:
        (tree,) = Path(".dvc/cache/files/md5").glob(f"{hashes[folder][:2]}/{hashes[folder][2:]}")
        files = {each["relpath"]: each["md5"] for each in json.loads(tree.read_text())}
        hash = files[path.removeprefix(f"{folder}/")]
    else:
        hash = hashes[path]
    Path(f".dvc/cache/files/md5/{hash[:2]}/{hash[2:]}").unlink()


def test_verdicts_count_where_the_answers_are_nowhere(project: Path) -> None:
    forget("data/generations/demo.jsonl")
    told = diff().output
    assert "gained 66.7" in told
    assert "no texts of flipped items: HEAD~1:data/generations/demo.jsonl: neither in" in told
    assert told.count("no texts of flipped items") == 1
    assert "    then: (not available)\n    now:  new 0\n" in told
    assert "(the answers of this version are not available)" in Path("reports/diff.md").read_text()


def test_cells_of_one_version_only_are_named(project: Path) -> None:
    params = Path("params.yaml").read_text()
    changed = "references: [terse, base]"
    Path("params.yaml").write_text(params.replace("references: [terse, thorough]", changed))
    told = diff().output
    assert f"{THOROUGH}: judged at HEAD~1 and not in params.yaml now" in told
    assert "data/judgments/demo/base/overlap.jsonl: not judged at HEAD~1" in told
    assert len(table(told)) == 1, "one reference has no average"


def test_a_reference_that_has_not_answered_yet_leaves_the_others_alone(project: Path) -> None:
    write(THOROUGH, [])
    told = diff().output
    assert f"{THOROUGH}: now the reference has not answered this test set" in told
    assert len(table(told)) == 1
    write(TERSE, [])
    assert "nothing could be compared" in diff(status=2).output


@pytest.mark.parametrize(
    ("rev", "line"),
    [
        ("nope", "error: cannot read nope: unknown Git revision 'nope'"),
        ("", "error: no commit is named; name one, such as HEAD~1"),
        ("HEAD~2", "error: HEAD~2: no judgments; the commit is older than this pipeline"),
    ],
)
def test_a_commit_that_cannot_be_compared_is_one_line(project: Path, rev: str, line: str) -> None:
    assert diff(rev, status=2).output.splitlines() == [line]


def test_what_is_no_commit_is_one_line(project: Path) -> None:
    (line,) = diff("HEAD^{tree}", status=2).output.splitlines()
    assert line.startswith("error: cannot read HEAD^{tree}: ")


def test_without_git_there_is_one_line(project: Path) -> None:
    shutil.rmtree(".git")
    (line,) = diff(status=2).output.splitlines()
    assert "is not a git repository" in line


def test_a_damaged_row_is_named_with_its_commit(project: Path) -> None:
    write(TERSE, [{"id": "x"}])
    commit("damaged")
    told = diff("HEAD", status=2).output
    assert told.startswith(f"error: HEAD:{TERSE}:1: field 'order': field required")
    assert len(told.splitlines()) == 1


def test_a_working_tree_that_is_behind_its_settings_is_told(project: Path) -> None:
    assert "have changed since the last `dvc repro`" not in diff().output
    write_answers("data/generations/demo.jsonl", "student", [f"newer {n}" for n in range(12)])
    assert "have changed since the last `dvc repro`" in diff().output
