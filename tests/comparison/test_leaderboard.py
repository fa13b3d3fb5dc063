"""`alpacare leaderboard`: the ranks, what a line says, and that it fits the terminal."""

import re
from pathlib import Path

import pytest
from conftest import run
from judged_project import write_project

from alpacare.cli.main import main
from alpacare.comparison.leaderboard import Board, make_boards
from alpacare.core import jsonl
from alpacare.core.files import read_json, write_json
from alpacare.evaluation.score import Cell
from alpacare.pipeline import paths
from alpacare.pipeline.params import read_params
from alpacare.records.judgment import Judgment

ALL, HALF = "all-rows-of-a-teacher", "half-rows"


@pytest.fixture
def project(workspace: Path) -> Path:
    """Two students of two seeds each and their base, against a reference and the base."""
    write_project(
        workspace, {"demo": 40}, ["gpt_4", "base"], ["overlap", "longest"],
        students=[ALL, HALF], seeds=[0, 1], contestants=["base"],
    )  # fmt: skip
    return workspace


def judge(model: str, seed: int | None, wins: int, reference: str = "gpt_4") -> None:
    """Let a model win the first items, and lose the others."""
    path = paths.judgments(Cell("demo", model, seed, reference, "overlap"))
    rows = jsonl.read(path, Judgment)
    won = set(list(dict.fromkeys(row.id for row in rows))[:wins])
    jsonl.write(path, [
        row.model_copy(update={"verdict": "model" if row.id in won else "reference"})
        for row in rows
    ])  # fmt: skip


def judge_all(all_rows: tuple[int, int], half_rows: tuple[int, int], base: int) -> Board:
    for name, wins in ((ALL, all_rows), (HALF, half_rows)):
        for seed in (0, 1):
            judge(name, seed, wins[seed])
    judge("base", None, base)
    return make_boards(read_params(), "demo", "overlap")[0]


def ranks(board: Board) -> dict[str, str]:
    return {entry.model.name: str(entry.rank) for entry in board.entries}


def test_models_that_differ_have_ranks_of_their_own(project: Path) -> None:
    board = judge_all((30, 31), (20, 19), 5)
    assert ranks(board) == {ALL: "1", HALF: "2", "base": "3"}
    first = board.entries[0]
    assert (first.rate.win_rate, first.rate.n, first.n, len(first.runs)) == (0.7625, 40, 40, 2)
    assert board.duels[0].difference.real


def test_models_that_cannot_be_told_apart_share_a_rank(project: Path) -> None:
    board = judge_all((22, 20), (21, 20), 3)
    assert ranks(board) == {ALL: "1-2", HALF: "1-2", "base": "3"}
    out = " ".join(run(main, "leaderboard", "--judge", "overlap").output.split())
    assert re.search(
        rf"{ALL} against {HALF}: \+1\.2 points \(.*?\): 40 items and 2 seeds cannot", out
    )


def test_seeds_far_apart_are_no_evidence(project: Path) -> None:
    """30 points more, and as many between the seeds of one student."""
    board = judge_all((36, 20), (18, 6), 0)
    assert ranks(board)[HALF] == "1-3"
    out = " ".join(run(main, "leaderboard", "--judge", "overlap").output.split())
    assert f"{ALL} against {HALF}: +40.0 points" in out
    assert re.search(r"2 seeds cannot tell; needed: more seeds, about \d+ a student", out)


def test_several_students_are_corrected_for_how_many_there_are(project: Path) -> None:
    """One that would be more than chance alone is not as one of three; and what would show it."""
    others = ["a", "b", "c"]
    write_project(
        project, {"demo": 40}, ["gpt_4"], ["overlap"], students=[*others, HALF], seeds=[0, 1]
    )  # fmt: skip
    for name, wins in {"a": (22, 24), "b": (16, 18), "c": (36, 38), HALF: (16, 18)}.items():
        for seed in (0, 1):
            judge(name, seed, wins[seed])
    (board,) = make_boards(read_params(), None, None)
    assert ranks(board) == {"c": "1", "a": "2-4", "b": "2-4", HALF: "2-4"}
    out = " ".join(run(main, "leaderboard").output.split())
    assert re.search(rf"c against {HALF}: \+50\.0 points \([^)]*\): more than chance\.", out)
    alone = r"more than chance alone, but not as one of 3 comparisons \(Holm\); needed: about"
    assert re.search(rf"a against {HALF}: \+15\.0 points \([^)]*\): {alone} \d+ items", out)
    assert f"These 3 comparisons with {HALF} are corrected for their number (Holm)." in out


def test_one_seed_alone_is_told(project: Path) -> None:
    write_project(
        project, {"demo": 40}, ["gpt_4"], ["overlap"], students=[ALL, HALF], seeds=[0]
    )  # fmt: skip
    judge(ALL, 0, 30)
    judge(HALF, 0, 5)
    out = " ".join(run(main, "leaderboard").output.split())
    assert "one seed cannot tell: more than chance over 40 items for these checkpoints" in out
    assert "One training seed: the luck of training is not covered." in out
    assert re.search(rf"{ALL}: test items \d+\.\d, training unknown; {HALF}: test items", out)
    (board,) = make_boards(read_params(), None, None)
    assert ranks(board) == {ALL: "1", HALF: "2"}, "of these checkpoints"


def test_the_luck_of_training_is_pooled_and_told_apart(project: Path) -> None:
    """Students whose seeds are 2 and 10 items apart have the same, known from both."""
    board = judge_all((30, 20), (18, 20), 5)
    assert (board.seeds.freedom, board.seeds.students) == (2, 2)
    assert board.seeds.variance == pytest.approx((0.25**2 / 2 + 0.05**2 / 2) / 2)
    trained = [entry.parts.training for entry in board.entries if entry.model.seeds]
    assert min(trained) > 0.3
    assert max(trained) - min(trained) < 0.02
    (base,) = (entry for entry in board.entries if not entry.model.seeds)
    assert base.parts.training == 0
    out = " ".join(run(main, "leaderboard", "--judge", "overlap").output.split())
    assert re.search(rf"Uncertainty in points: {ALL}: test items \d+\.\d, training \d+\.\d;", out)
    assert "base: test items" in out
    pooled = "the variance between seeds is pooled over 2 students, as if it were the same for each"
    assert f"{pooled} (2 degrees of freedom)." in out


def test_a_judge_that_is_asked_twice_has_a_part_of_its_own(project: Path) -> None:
    """It says otherwise the second time, of every other item."""
    judge_all((20, 20), (20, 20), 20)
    for cell in read_params().cells():
        path = paths.judgments(cell)
        rows = jsonl.read(path, Judgment)
        again = [
            row.model_copy(update={"sample": 1, "verdict": "tie" if n % 4 < 2 else row.verdict})
            for n, row in enumerate(rows)
        ]
        jsonl.write(path, [*rows, *again])
        score = read_json(paths.score(cell))
        write_json(paths.score(cell), {**score, "samples": 2})
    board = make_boards(read_params(), None, "overlap")[0]
    # half of the items have squares of 2 * 0.25^2 in each order: 0.0625 a sample; by 2 samples, 2
    # orders and 40 items it is a standard error of 0.02; t is 2.02, Wilson's shape a little less
    base = next(entry for entry in board.entries if not entry.model.seeds)
    assert base.parts.judge == pytest.approx(2.02 * (0.0625 / 4 / 40) ** 0.5, rel=0.08)
    assert "judge " in run(main, "leaderboard", "--judge", "overlap").output


def test_a_rate_turned_round_has_its_interval_turned_round(project: Path) -> None:
    judge_all((20, 20), (20, 20), 20)
    for seed in (0, 1):
        judge(ALL, seed, 30 + 5 * seed, "base")
        judge(HALF, seed, 10 + seed, "base")
    (board,) = make_boards(read_params(), None, "overlap")
    against = {entry.model.name: entry.against for entry in board.entries}
    there, back = against[HALF]["base"], against["base"][HALF]
    assert (there.ci_low, there.ci_high) == pytest.approx(
        (1 - (back.ci_high or 0), 1 - (back.ci_low or 0)), abs=1e-4
    )


def test_the_table_fits_the_terminal_and_names_fold_at_hyphens(project: Path) -> None:
    for cell in read_params().cells():
        score = read_json(paths.score(cell))
        write_json(paths.score(cell), {**score, "dollars": 12.345})
    done = run(main, "leaderboard")
    assert done.exit_code == 0, done.output
    assert max(map(len, done.output.splitlines())) <= 80
    assert "…" not in done.output
    assert re.search(r"all-rows- ", done.output)
    assert "a-teacher" in done.output
    assert "demo, judged by overlap" in done.output
    assert "demo, judged by longest" in done.output
    assert "$24.69" in done.output, "two seeds against one reference"


def test_a_reference_that_competes_is_a_column_and_in_no_mean(project: Path) -> None:
    judge_all((20, 20), (20, 20), 20)
    for seed in (0, 1):
        judge(ALL, seed, 40, "base")
        judge(HALF, seed, 10, "base")
        judge(ALL, seed, 30, HALF)
    (board,) = make_boards(read_params(), None, "overlap")
    assert board.competing == ["base", HALF]
    found = {
        entry.model.name: {name: rate.win_rate for name, rate in entry.against.items()}
        for entry in board.entries
    }
    assert found == {
        ALL: {"base": 1.0, HALF: 0.75}, HALF: {"base": 0.25}, "base": {HALF: 0.75}
    }  # fmt: skip
    assert {entry.rate.win_rate for entry in board.entries} == {0.5}


def test_unreadable_items_are_counted(project: Path) -> None:
    """SAID leaves every fifth item unreadable, another one in the other seed."""
    (board,) = make_boards(read_params(), None, "overlap")
    counts = {entry.model.name: (entry.rate.n, entry.n) for entry in board.entries}
    assert counts == {ALL: (40, 40), HALF: (40, 40), "base": (32, 40)}
    assert "32/40" in run(main, "leaderboard").output


def test_a_student_that_is_removed_or_not_trained_yet(project: Path) -> None:
    path = paths.judgments(Cell("demo", ALL, 1, "gpt_4", "overlap"))
    path.unlink()
    done = run(main, "leaderboard", "--judge", "overlap")
    assert done.exit_code == 0
    assert f"{ALL}: {path}: not there yet; run `dvc repro`, or `alpacare pull`" in " ".join(
        done.output.split()
    )
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(re.sub(r"(?m)^students: \[.*?\]", f"students: [{HALF}]", text))
    done = run(main, "leaderboard", "--judge", "overlap")
    assert "teacher" not in done.output
    assert f"vs {HALF}" not in " ".join(done.output.split())


def test_wrong_names_and_no_verdicts_are_one_line(project: Path) -> None:
    for arguments, told in (
        (("--test", "no"), "error: no test 'no' in tests and benchmarks of params.yaml: demo"),
        (("--judge", "no"), "error: no judge 'no' in judgments of params.yaml: overlap, longest"),
    ):
        done = run(main, "leaderboard", *arguments)
        assert done.exit_code == 2
        assert done.output.splitlines() == [told]
    for cell in read_params().cells():
        paths.judgments(cell).unlink()
    done = run(main, "leaderboard")
    assert done.exit_code == 2
    assert "no comparison of params.yaml has been judged here; run `dvc repro`" in done.output
