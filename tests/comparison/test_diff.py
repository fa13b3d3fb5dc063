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
    matrix: &runs {test: [demo], student: [tuned, other], seed: [0, 1]}
    cmd: "false"
    outs: ["data/generations/${item.test}/${item.student}/${item.seed}.jsonl"]
  model_generations:
    matrix: {test: [demo]}
    cmd: "false"
    outs: ["data/model_generations/${item.test}"]
  judgments:
    matrix: *runs
    cmd: "false"
    deps:
      - data/generations/${item.test}/${item.student}/${item.seed}.jsonl
      - data/model_generations/${item.test}
      - prompts/judges
    outs: ["data/judgments/${item.test}/${item.student}/${item.seed}"]
  scores:
    matrix: *runs
    cmd: "false"
    deps: ["data/judgments/${item.test}/${item.student}/${item.seed}"]
    outs: ["metrics/scores/${item.test}/${item.student}/${item.seed}": {cache: false}]
  benchmarks:
    matrix: {benchmark: [exam], student: [tuned, other], seed: [0, 1]}
    cmd: "false"
    outs: ["data/benchmark_results/${item.benchmark}/${item.student}/${item.seed}.jsonl"]
  local_benchmarks:
    matrix: {benchmark: [exam]}
    cmd: "false"
    deps: ["benchmarks/${item.benchmark}", "data/benchmarks/${item.benchmark}.jsonl"]
"""
SETTINGS = {
    "students": "[tuned, other]", "training_seeds": "[0, 1]", "contestants": "[]", "local": "[]",
    "references": "[terse, thorough]", "head_to_head": "other", "judges": "[overlap]",
}  # fmt: skip
# What acts on a page, on a terminal, and on rich.
EVIL = "[bold]x[/bold] :smile:\n````\n# Not a heading\n<script>\x1b[31mred\u202e"
INSTRUCTIONS = [f"Question {n}?" for n in range(12)]
RUNS = [
    (student, seed, reference)
    for student, references in (
        ("tuned", ("terse", "thorough", "other")), ("other", ("terse", "thorough"))
    )
    for seed in (0, 1)
    for reference in references
]  # fmt: skip
IDS = [row_id(text, "") for text in INSTRUCTIONS]
TUNED = "data/judgments/demo/tuned"
TERSE, THOROUGH = (f"{TUNED}/0/{name}/overlap.jsonl" for name in ("terse", "thorough"))


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
    for student, seed, reference in RUNS:
        path = Path(f"metrics/scores/demo/{student}/{seed}/{reference}/overlap.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"win_rate": win_rate, **more}))


def write_graded(student: str, met: int) -> None:
    """By a rubric of one criterion, and on a benchmark: of the items, so many are right."""
    for seed in (0, 1):
        right = [(id, n < met) for n, id in enumerate(IDS)]
        write(f"data/judgments/demo/{student}/{seed}/rubric-items.jsonl", [
            {"id": id, "judge": "rubric-items", "replies": [],
             "criteria": [{"criterion": "Says so", "points": 2.0, "met": each}]}
            for id, each in right
        ])  # fmt: skip
        write(f"data/benchmark_results/exam/{student}/{seed}.jsonl", [
            {"id": id, "answer": 0, "choices": 2, "chosen": int(not each), "output": None,
             "score": float(each), "likelihoods": None, "too_long": False, "cut_off": False,
             "subject": None}
            for id, each in right
        ])  # fmt: skip


def judge_tuned(reference: str, verdicts: list[str | None], raw: str = "") -> None:
    """In both seeds alike."""
    for seed in (0, 1):
        write_verdicts(f"{TUNED}/{seed}/{reference}/overlap.jsonl", verdicts, raw)


def answer_tuned(outputs: list[str]) -> None:
    for seed in (0, 1):
        write_answers(f"data/generations/demo/tuned/{seed}.jsonl", "tuned", outputs)


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
    for key, value in SETTINGS.items():
        params, found = re.subn(rf"(?m)^( *{key}: )[^#\n]*", rf"\g<1>{value} ", params, count=1)
        assert found, key
    Path("params.yaml").write_text(params)
    Path("dvc.yaml").write_text(PIPELINE)
    answer_tuned([f"old {n}" for n in range(12)])
    for seed in (0, 1):
        write_answers(f"data/generations/demo/other/{seed}.jsonl", "other", ["other"] * 12)
    write_answers("data/model_generations/demo/terse.jsonl", "terse", ["short"] * 12)
    write_answers("data/model_generations/demo/thorough.jsonl", "thorough", ["the the"] * 12)
    for student, seed, reference in RUNS:
        path = f"data/judgments/demo/{student}/{seed}/{reference}/overlap.jsonl"
        verdicts: list[str | None] = ["reference" if reference == "terse" else "model"] * 12
        write_verdicts(path, verdicts, raw=path)
    write_score(0.25, of_old=1)
    for student in ("tuned", "other"):
        write_graded(student, 1)
    write("data/benchmarks/exam.jsonl", [])
    write("benchmarks/exam/task.yaml", [])
    commit("then")
    answer_tuned([f"new {n}" for n in range(12)])
    judge_tuned("terse", ["model"] * 8 + ["reference"] * 4, raw="Output (a)")
    write_score(0.75)
    write_graded("tuned", 10)
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
    assert status or max(map(len, result.output.splitlines())) <= 80
    return result


def lines(result: Result) -> str:
    return " ".join(result.output.split())


def compare(*arguments: str, status: int = 0) -> str:
    result = run(main, "compare", *arguments)
    assert result.exit_code == status, result.output
    return lines(result)


def test_what_moved_is_told_by_student_with_interval_and_sentence(project: Path) -> None:
    result = diff()
    table = result.output.splitlines()[:6]
    assert max(map(len, table)) <= 80
    (row,) = (line for line in table if "mean of 2" in line)
    assert row.split() == [
        *("demo", "overlap", "tuned", "mean", "of", "2", "50.0", "83.3", "+33.3", "8/12")
    ]
    told = lines(result)
    assert re.search(
        r"tuned against mean of 2: \+33\.3 points \(\+\d\S+ to \+\d\S+\): more than", told
    )
    assert (
        "No item scores otherwise than at HEAD~1: other against mean of 2 (demo, overlap)." in told
    )
    assert "changed too" not in told, "the reference and the judge stand as they stood"


def test_scores_by_rubrics_and_on_benchmarks_are_compared(project: Path) -> None:
    text = Path("params.yaml").read_text().replace("benchmarks: []", "benchmarks: [exam]")
    text = text.replace("rubric_judges: []", "rubric_judges: [x, rubric-items]")
    Path("params.yaml").write_text(text)
    write("benchmarks/exam/task.yaml", [{"task": "exam"}])
    told = lines(diff())
    assert "Scores by rubrics and on benchmarks, %: HEAD~1 and now test judge model then" in told
    assert "demo rubric-items tuned 8.3 83.3 +75.0 9/12" in told
    assert "exam, lm-eval: tuned: +75.0 points (" in told
    assert "than at HEAD~1: other (demo, rubric-items), other (exam, lm-eval)." in told
    assert "benchmarks/exam/ changed too: the difference may not be the model's alone (exam" in told
    assert "demo, x: of tuned both versions have 0 of 2 runs" in told
    assert "judged at HEAD~1 and not in params" not in told, "a grade is no comparison"


def test_the_other_way_round_the_student_lost(project: Path) -> None:
    git("checkout", "-q", "HEAD~1")
    shutil.rmtree("data")
    dvc("checkout")
    assert "tuned against mean of 2: -33.3 points" in lines(diff("main"))


def test_a_change_that_may_be_chance_says_what_n_would_show_it(project: Path) -> None:
    judge_tuned("terse", ["model", "tie"] + ["reference"] * 10)
    told = lines(diff())
    assert "tuned against mean of 2: +6.2 points (" in told
    assert "12 items and 2 seeds cannot tell; needed: about 51 items" in told


def test_flipped_items_are_shown_with_their_texts(project: Path) -> None:
    told = diff().output
    assert "tuned: 16 verdicts flipped, 16 loss to win" in told
    assert "\nother: " not in told
    shown = "  loss to win: Question 0?\n    then: old 0\n    now:  new 0\n"
    assert shown in told
    assert told.count("loss to win: Question") == 3
    page = Path("reports/diff.md").read_text()
    assert page.count("### ") == 16
    assert "## demo, tuned (seed 0), terse, overlap\n\n8 items flipped: 8 loss to win." in page
    for label, text in [
        ("Instruction", "Question 7?"),
        ("Model then", "old 7"),
        ("Model now", "new 7"),
        ("Reference", "short"),
        ("Judge then, model first: reference", TERSE),
        ("Judge now, reference first: model", "Output (a)"),
    ]:
        assert f"{label}:\n\n```text\n{text}\n```" in page


def test_two_commits_of_a_student_are_compared(project: Path) -> None:
    told = compare("tuned@HEAD~1", "tuned")
    assert "demo, overlap, mean of 2: +33.3 points (" in told
    assert "): more than chance. Uncertainty in points: test items " in told
    assert "8 items flipped: 8 better with tuned, 0 worse." in told
    assert "demo, overlap, other: 0.0 points" in told
    back = compare("tuned", "tuned@HEAD~1")
    assert "-33.3 points" in back
    assert "8 items flipped: 0 better with tuned@HEAD~1, 8 worse." in back


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("nobody", "tuned"), "error: params.yaml: no model 'nobody'; students: tuned, other;"),
        (("tuned", "tuned"), "error: tuned and tuned are the same; name two models, or"),
        (("tuned@nope", "tuned"), "error: cannot read nope: unknown Git revision 'nope'"),
        (("tuned@", "tuned"), "error: no commit is named"),
        (("x@HEAD", "tuned"), "error: HEAD:params.yaml: no model 'x'; students: tuned, other;"),
        (("tuned@HEAD~2", "tuned"), "error: HEAD~2:params.yaml: "),
        (("tuned", "other", "--test", "x"),
         "error: no test 'x' that both were judged with: demo; benchmarks of params.yaml: none\n"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_one_line(
    project: Path, names: tuple[str, ...], told: str
) -> None:
    result = run(main, "compare", *names)
    assert result.exit_code == 2
    assert len(result.output.splitlines()) == 1
    assert result.output.startswith(told)


def test_a_student_without_verdicts_is_one_line(project: Path) -> None:
    shutil.rmtree(TUNED)
    told = compare("tuned", "other", status=2)
    assert told == f"error: {TERSE}: not there yet; run `dvc repro`, or `alpacare pull`"


def test_texts_can_break_neither_page_nor_terminal(project: Path) -> None:
    answer_tuned([EVIL] * 12)
    judge_tuned("terse", ["model"] * 12, raw=EVIL)
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
    judge_tuned("terse", ["model"] * 8 + ["reference"] * 3 + [None])
    for seed in (0, 1):
        path = Path(f"{TUNED}/{seed}/terse/overlap.jsonl")
        rows = path.read_text().splitlines(keepends=True)
        other = [row.replace(IDS[0], "ffffffffffffffff") for row in rows[:2]]
        path.write_text("".join([*rows[2:], *other]))
    told = lines(diff())
    assert "7/10" in told
    assert "left out: 2 without readable verdicts in HEAD~1 or the working tree" in told
    assert ", 1 only in the working tree " in told


def test_what_changed_besides_the_student_is_said(project: Path) -> None:
    settings = Path("prompts/judges/overlap/settings.yaml")
    settings.write_text(settings.read_text().replace("0.0", "0.1"))
    write_answers("data/model_generations/demo/terse.jsonl", "terse", ["shorter"] * 12)
    write_answers(
        "data/model_generations/demo/thorough.jsonl", "thorough", ["the the"] * 12, tokens=2
    )
    dvc("commit", "--force")
    told = lines(diff())
    alone = "changed too: the difference may not be the model's alone"
    assert f"prompts/judges/overlap/ {alone} (every comparison)" in told
    where = "demo, tuned, terse, overlap; demo, other, terse, overlap"
    assert f"data/model_generations/demo/terse.jsonl {alone} ({where})" in told
    assert "data/model_generations/demo/thorough" not in told, "its answers are the same"
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
    assert "+33.3 points" in lines(diff("HEAD~2"))
    shutil.rmtree(".dvc/cache")
    told = diff("HEAD~2", status=2).output
    assert "(the remote says: azure is supported, but requires 'dvc-azure' to be installed)" in told


def test_verdicts_that_are_nowhere_leave_the_rates_that_git_has(project: Path) -> None:
    shutil.rmtree(".dvc/cache")
    result = diff(status=2)
    nowhere = "neither in DVC's cache nor in its remote; run `dvc push --all-commits`"
    told = [
        f"HEAD~1:{TERSE}: {nowhere} where it was made",
        "demo, tuned (seed 0), terse, overlap: 25.0 % then, 75.0 % now "
        "(metrics/scores/demo/tuned/0/terse/overlap.json); not paired, so no interval",
    ]
    for line in told:
        assert line in lines(result)
    problem = "error: HEAD~1: nothing could be compared test item by test item: HEAD~1:"
    assert any(each.startswith(problem) and nowhere in each for each in result.output.splitlines())
    assert not Path("reports").exists()


def test_seeds_are_compared_that_have_all_references(project: Path) -> None:
    forget(f"{TUNED}/0/thorough/overlap.jsonl")
    told = lines(diff())
    assert "tuned against mean of 2: +33.3 points" in told
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
    forget("data/generations/demo/tuned/0.jsonl")
    told = lines(diff())
    assert "+33.3 points" in told
    assert "no texts of flipped items: HEAD~1:data/generations/demo/tuned/0.jsonl: neither" in told
    assert told.count("no texts of flipped items") == 2, "both seeds answered alike"
    assert " then: (not available) now: new 0 " in told
    assert "(the answers of this version are not available)" in Path("reports/diff.md").read_text()


def test_comparisons_of_one_version_only_are_counted(project: Path) -> None:
    params = Path("params.yaml").read_text()
    params = params.replace("[terse, thorough] ", "[terse]").replace("[overlap] ", "[overlap, x]")
    Path("params.yaml").write_text(params.replace("[tuned, other] ", "[tuned, new]").replace(
        "head_to_head: other", "head_to_head: new"
    ))  # fmt: skip
    told = lines(diff())
    now = "judged at HEAD~1 and not in params.yaml now"
    assert f"data/judgments/demo/other/0: 2 comparisons {now}" in told
    assert f"{TUNED}/0: 2 comparisons {now}" in told
    assert f"{TUNED}/0: 3 comparisons not judged at HEAD~1" in told
    assert "data/judgments/demo/new/0: 2 comparisons not judged at HEAD~1" in told
    assert "tuned against terse: +66.7 points" in told, "one reference has no average"


def test_students_with_other_seeds_are_compared_over_all_of_them(project: Path) -> None:
    params = Path("params.yaml").read_text()
    Path("params.yaml").write_text(
        params.replace("training_seeds: [0, 1]", "training_seeds: [2, 3]")
    )
    for student, seed, reference in RUNS:
        old = Path(f"data/judgments/demo/{student}/{seed}/{reference}/overlap.jsonl")
        new = Path(f"data/judgments/demo/{student}/{seed + 2}/{reference}/overlap.jsonl")
        new.parent.mkdir(parents=True)
        shutil.copy(old, new)
    told = lines(diff())
    assert "tuned against mean of 2: +33.3 points" in told
    assert "data/judgments/demo/tuned/2: 3 comparisons not judged at HEAD~1" in told


def test_a_reference_that_has_not_answered_yet_leaves_the_others_alone(project: Path) -> None:
    for seed in (0, 1):
        write(f"{TUNED}/{seed}/thorough/overlap.jsonl", [])
    told = lines(diff())
    assert f"{THOROUGH}: now the reference has not answered this test set" in told
    assert "tuned against terse: +66.7 points" in told


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
    assert "have changed since the last `dvc repro`" not in lines(diff())
    answer_tuned([f"newer {n}" for n in range(12)])
    assert "have changed since the last `dvc repro`" in lines(diff())
