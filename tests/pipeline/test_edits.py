"""What an edit runs again, and what it does not; in a clone whose pipeline takes seconds."""

import json
import re
from contextlib import ExitStack

import pytest
from clones import Clone, quick_clone, ran

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return quick_clone(tmp_path_factory, "edits")


def test_two_clones_give_the_same_bytes(clone: Clone) -> None:
    """Not from the cache: another clone, another cache, another hash seed."""
    folder = clone.folder.parent / "second"
    clone.git("clone", "-q", str(clone.folder), str(folder))
    second = Clone(folder)
    second.environment = {
        **clone.environment,
        "PYTHONPATH": str(folder / "src"),
        "PYTHONHASHSEED": "12345",
        "DVC_SITE_CACHE_DIR": str(folder.parent / "site-cache-2"),
    }
    again = second.repro("generations@demo-all-rows-0-batched")
    assert again >= {"instructions", "responses", "base_model", "checkpoint", "generations"}
    assert second.hashes() == clone.hashes()
    assert second.git("status", "--short") == ""


JUDGE = "prompts/judges/overlap/settings.yaml"
JUDGING = {"judgments", "contestant_judgments"}


def test_an_edited_judge_judges_and_scores_again_and_nothing_else(clone: Clone) -> None:
    with clone.edited(JUDGE, "tie_margin: 0.0", "tie_margin: 0.01"):
        assert clone.repro() == {*JUDGING, "scores"}  # the base's verdicts are as before
    clone.repro_from_cache()


ANSWERING = {"generations", "local_generations"}
SCORING = {"scores", "contestant_scores"}
TRAINING = {"student_rows", "base_model", "checkpoint", "training_curves"}
# docs/architecture.md says the same, room by room
NEEDLESS = ("cli/main", "report/page", "pipeline/quoting/plan", "sharing/git", "display/text")
AFTER_CODE = {
    "datasets/downloads": {"seeds"},
    "instructions/reply_json": {"instructions"},
    "training/packing": TRAINING,
    "generation/batched": ANSWERING,
    "judging/overlap": JUDGING,
    "evaluation/bootstrap": SCORING,
    "llm/transport": {"instructions", "responses", "model_generations", *JUDGING},
    "compute/workers": {*ANSWERING, "student_rows", "base_model", "checkpoint"},
    "stages/filtered": {"filtered"},
}


def test_an_edit_of_code_that_no_stage_uses_runs_nothing(clone: Clone) -> None:
    with ExitStack() as edits:
        for module in (*NEEDLESS, "local_judging/loglik"):  # no judge that runs here
            edits.enter_context(clone.edited(f"src/alpacare/{module}.py", '"""', '"""Edited. '))
        edits.enter_context(clone.edited("params.yaml", "# drop above", "# comment; drop above"))
        edits.enter_context(clone.edited("params.yaml", "save_steps: 500", "save_steps: 50"))
        assert clone.repro("--dry") == set()


@pytest.mark.parametrize("module", AFTER_CODE)
def test_an_edit_of_code_runs_what_uses_it(clone: Clone, module: str) -> None:
    with clone.edited(f"src/alpacare/{module}.py", '"""', '"""Edited. '):
        assert clone.repro("--dry") == AFTER_CODE[module]


@pytest.mark.parametrize("module", ["training/packing", "llm/transport"])
def test_changes_says_which_expensive_stages_code_would_run(clone: Clone, module: str) -> None:
    with clone.edited(f"src/alpacare/{module}.py", '"""', '"""Edited. '):
        said = clone.ok("alpacare", "changes")
    expensive = AFTER_CODE[module] - {"training_curves"}
    assert set(re.findall(r"^will run: (\w+) ", said, re.MULTILINE)) == expensive


def test_caches_and_files_of_editors_run_nothing(clone: Clone) -> None:
    left = [clone.folder / "src/alpacare/training" / name for name in ("x.pyc", ".#a.py", "a.py~")]
    for path in left:
        path.write_text("x")
    assert clone.repro("--dry") == set()
    assert clone.ok("alpacare", "changes") == "no expensive stage would run\n"
    for path in left:
        path.unlink()


@pytest.mark.parametrize(
    ("path", "old", "new", "stages"),
    [
        (JUDGE, "tie_margin: 0.0", "tie_margin: 0.01", JUDGING),
        ("params.yaml", "resamples: 200", "resamples: 100", SCORING),
        ("params.yaml", "window: 10", "window: 5", {"training_curves"}),
        ("params.yaml", "max_new_tokens: 8", "max_new_tokens: 7", ANSWERING),
        (
            "params.yaml",
            "written: [thorough, terse]",
            "written: [terse, thorough]",
            {"model_generations"},
        ),
        ("params.yaml", "judges: [overlap]", "judges: [longest]", {*JUDGING, *SCORING}),
        ("params.yaml", "epochs: 5", "epochs: 6", {"checkpoint"}),
        ("students/half-rows.yaml", "take: 12", "take: 10", {"student_rows", "checkpoint"}),
        ("params.yaml", "input_equals_output: true", "input_equals_output: false", {"responses"}),
    ],
)
def test_an_edit_touches_only_its_own_stages(
    clone: Clone, path: str, old: str, new: str, stages: set[str]
) -> None:
    """What stands behind them runs too if their outputs change, which a dry run cannot know."""
    with clone.edited(path, old, new):
        assert clone.repro("--dry") == stages


def test_an_edit_that_changes_no_result_is_accepted_without_training(clone: Clone) -> None:
    """And a changed setting is not, which `dvc commit -f` would take in silence."""
    code = "src/alpacare/training/packing.py"
    with clone.edited("params.yaml", "epochs: 5", "epochs: 6"):
        refused = clone.run("alpacare", "accept", "checkpoint")
        assert refused.returncode == 2
        assert "setting checkpoint.optimizer.epochs changed" in refused.stderr
    assert "nothing has changed" in clone.run("alpacare", "accept", "checkpoint").stderr
    assert "no stage 'chekpoint'" in clone.run("alpacare", "accept", "chekpoint").stderr
    weights = clone.hashes()["models/checkpoint/half-rows/0"]
    with clone.edited(code, '"""', '"""Edited. '):
        assert "src/alpacare/training" in clone.ok("alpacare", "accept", "checkpoint")
        assert clone.repro("--dry") == TRAINING - {"checkpoint"}
        assert clone.hashes()["models/checkpoint/half-rows/0"] == weights
        (line,) = (clone.folder / "data/accepted.jsonl").read_text().splitlines()
        entry = json.loads(line)
        assert entry["stage"] == "checkpoint"
        (before, after) = entry["code"]["checkpoint@all-rows-0"]["src/alpacare/training"]
        assert before != after
    clone.git("checkout", "HEAD", "--", "dvc.lock")
    (clone.folder / "data/accepted.jsonl").unlink()
    assert clone.repro("--dry") == set()


def test_a_stricter_filter_misses_no_recording(clone: Clone) -> None:
    before = json.loads((clone.folder / "metrics/filtered.json").read_text())
    with clone.edited("params.yaml", "rouge_l: 0.7", "rouge_l: 0.6"):
        assert clone.repro("responses") == {"instructions", "filtered", "responses"}
        after = json.loads((clone.folder / "metrics/filtered.json").read_text())
        assert after["kept"] < before["kept"]
        statistics = {"llm_usage", "statistics", "task_statistics"}
        assert clone.repro("--dry") == {"student_rows", "base_model", *statistics}
    clone.repro_from_cache()


def test_a_new_test_set_runs_only_its_own_cells(clone: Clone) -> None:
    """And what must see whether training tasks stand in it; nothing else follows."""
    tests = clone.folder / "data/tests"
    rows = (tests / "demo.jsonl").read_text().splitlines()[:3]
    tasks = [json.loads(row) for row in rows]
    for task in tasks:
        del task["answers"]["terse"]  # who then has not answered it
    lines = [json.dumps(task, ensure_ascii=False) + "\n" for task in tasks]
    (tests / "second.jsonl").write_text("".join(lines))
    try:
        with clone.edited("params.yaml", "tests: [demo]", "tests: [demo, second]"):
            clone.ok("alpacare", "check")
            cells = ran(clone.ok("dvc", "repro"))
            table = clone.ok("alpacare", "scores")
            answers = clone.folder / "data/generations/second/all-rows/0.jsonl"
            assert len(answers.read_text().splitlines()) == 3
    finally:
        (tests / "second.jsonl").unlink()
    assert "generations@second-all-rows-0-batched" in cells
    assert "scores@second-all-rows-0" in cells
    looked = {"filtered", "student_rows@all-rows", "student_rows@half-rows"}
    assert {cell for cell in cells if "second" not in cell} == looked
    second = table.split("on second")[1]
    assert "base" in second
    assert "terse" not in second, "no line for the reference without answers"
    clone.ok("alpacare", "check", "--run")  # removes what the test set left
    assert not list((clone.folder / "metrics").rglob("*second*"))
    clone.repro_from_cache()


def test_a_new_seed_trains_that_one_only_and_leaves_nothing_when_it_goes(clone: Clone) -> None:
    with clone.edited("params.yaml", "training_seeds: [0]", "training_seeds: [0, 2]"):
        planned = ran(clone.ok("dvc", "repro", "--dry", "checkpoint"))  # in no order of ours
        assert sorted(planned) == ["checkpoint@all-rows-2", "checkpoint@half-rows-2"]
        one = ("--train", "--student", "all-rows", "--seed", "2")  # as `make train` does
        trained = ran(clone.ok("dvc", "repro", *clone.ok("alpacare", "targets", *one).split()))
        assert trained == ["checkpoint@all-rows-2", "training_curves@all-rows-2"]
    clone.ok("alpacare", "check", "--run")  # removes what the seed left
    assert not (clone.folder / "metrics/training_curves/all-rows/2.json").exists()
    clone.repro_from_cache()


def test_a_model_that_is_asked_is_quoted(clone: Clone) -> None:
    with clone.edited("params.yaml", "api: []", "api: [gpt-4o]"):
        clone.ok("alpacare", "check")
        quote = clone.ok("alpacare", "quote")
        assert re.search(r"^model_generations +0 +70 ", quote, re.MULTILINE)
        assert "make repro" in quote.split("BUDGET=")[-1]


def test_a_judge_that_is_asked_is_quoted(clone: Clone) -> None:
    """By the real answers; where there are none yet, by answers as long as the written ones."""
    answers = clone.folder / "data/generations/demo/all-rows/0.jsonl"
    kept = answers.read_bytes()
    with clone.edited("params.yaml", "judges: [overlap]", "judges: [overlap, alpacare]"):
        clone.ok("alpacare", "check")
        for estimated in (False, True):
            quote = clone.ok("alpacare", "quote")
            assert re.search(r"^judgments +0 +8\d\d ", quote, re.MULTILINE), quote
            assert ("judgments: 420 of those to ask depend" in quote) == estimated
            answers.unlink(missing_ok=True)
        refused = clone.run("alpacare", "ledger", "gc", "old.jsonl")
        assert "which judgments are used cannot be told" in refused.stderr
    answers.write_bytes(kept)
    clone.repro_from_cache()


def test_judges_are_quoted_at_the_price_of_their_own_models(clone: Clone) -> None:
    most = {}
    for judges in ("alpacare", "mtbench", "mtbench, alpacare"):
        with clone.edited("params.yaml", "judges: [overlap]", f"judges: [{judges}]"):
            found = re.search(r"^At most \$([0-9.]+)\.$", clone.ok("alpacare", "quote"), re.M)
            assert found
            most[judges] = float(found[1])
    both = most["alpacare"] + most["mtbench"]
    assert most["mtbench"] > 10 * most["alpacare"]
    assert abs(most["mtbench, alpacare"] - both) < 0.02


def test_one_edited_seed_misses_one_request_and_harms_nothing(clone: Clone) -> None:
    kept = [clone.folder / f"data/{name}.jsonl" for name in ("filtered", "responses")]
    before = [path.read_bytes() for path in kept]
    shown = json.loads((clone.folder / "data/instructions.jsonl").read_text().splitlines()[0])[
        "seeds"
    ]
    rows = map(json.loads, (clone.folder / "data/seeds.jsonl").read_text().splitlines())
    instruction = next(row["instruction"] for row in rows if row["id"] == shown[0])
    with clone.edited("data/seeds/medical.jsonl", instruction, instruction + " Be brief."):
        done = clone.run("dvc", "repro")
        assert done.returncode != 0
        assert "1 of 6 answers are not in the ledger" in done.stderr
        assert "missing: request " in done.stderr
        assert [path.read_bytes() for path in kept] == before
    clone.repro_from_cache()


@pytest.mark.parametrize(
    ("path", "old", "new", "message"),
    [
        ("params.yaml", "rouge_l: 0.7", "rogue_l: 0.7", "did you mean 'rouge_l'?"),
        ("params.yaml", "rouge_l: 0.7", "rouge_l: high", "filtered.rouge_l: input should be"),
        ("data/seeds/medical.jsonl", '"}\n', '"\n', "medical.jsonl:1: not valid JSON"),
        ("data/tests/demo.jsonl", '"}}\n', '"\n', "demo.jsonl:1: not valid JSON"),
    ],
)
def test_wrong_input_stops_before_anything_is_touched(
    clone: Clone, path: str, old: str, new: str, message: str
) -> None:
    with clone.edited(path, old, new):
        done = clone.run("alpacare", "check")
        assert done.returncode == 2
        assert message in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert "up to date" in clone.ok("dvc", "status")
