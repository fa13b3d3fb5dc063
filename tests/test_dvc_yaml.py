"""dvc.yaml keeps its promises: deps are imports, names agree, nothing expensive is uncached."""

import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from closure import rooms
from conftest import REPOSITORY

from alpacare.core.errors import BadInput
from alpacare.core.settings import read_yaml
from alpacare.filtering.settings import FilteredSettings
from alpacare.pipeline.dvc_yaml import cells, cells_before, writer
from alpacare.pipeline.params import Params

STAGES: dict[str, Any] = read_yaml(REPOSITORY / "dvc.yaml")["stages"]
STUDENT = {"students/${item.student}.yaml": None}  # all of the file
_REFERENCES = ["judgments.references", "judgments.head_to_head"]
_OTHERS = ["judgments.contestants", "judgments.references"]
SECTIONS_OF = {
    "server_generations": ["generations"],
    "model_generations": ["models.written", "models.api"],
    # those must answer by the students' rules
    "local_generations": ["models.local", "generations"],
    "benchmarks": ["lm_eval"],
    "local_benchmarks": ["models.local", "lm_eval"],
    "benchmark_scores": ["scores"],
    "local_benchmark_scores": ["scores"],
    "student_rows": ["student_rows", "checkpoint.rows", STUDENT],
    "checkpoint": ["checkpoint", STUDENT],
    "judgments": [*_REFERENCES, "judgments.judges", "judgments.rubric_judges"],
    "contestant_judgments": [*_OTHERS, "judgments.judges", "judgments.rubric_judges"],
    "local_judgments": _REFERENCES,
    "label_judgments": ["judgments.rubric_judges"],
    "local_contestant_judgments": _OTHERS,
    "scores": [
        "scores",
        "judgments.contestants",
        *_REFERENCES,
        "judgments.judges",
        "judgments.rubric_judges",
    ],
    "contestant_scores": ["scores", *_OTHERS, "judgments.judges", "judgments.rubric_judges"],
    "local_scores": ["scores", "judgments.contestants", *_REFERENCES],
    "local_contestant_scores": ["scores", *_OTHERS],
}
MODULE_OF = {  # one thing, done for several datasets, or for students and other models
    "seed_statistics": "statistics",
    "task_statistics": "statistics",
    "contestant_judgments": "judgments",
    "local_contestant_judgments": "local_judgments",
    "contestant_scores": "scores",
    "local_scores": "scores",
    "local_contestant_scores": "scores",
    "local_benchmark_scores": "benchmark_scores",
}
STATISTICS = {"statistics", "seed_statistics", "task_statistics"}
SCORES = {name for name in STAGES if name.endswith("scores")}
NO_SETTINGS = {*STATISTICS, "llm_usage", "categories", "category_counts", "verified_counts"}
PAID = {"instructions", "responses"}
APART = {"contamination", "contamination_rouge_l", "contamination_words", "engine"}
WRITTEN_TO = {  # where the name of the stage is not the name of what it writes
    "server_generations": "data/generations/",
    "checkpoint": "models/checkpoint/",
    "base_model": "models/base_model",
    "benchmarks": "data/benchmark_results/",
    "local_benchmarks": "data/local_benchmark_results/",
    **{name: f"metrics/({name}|{name.replace('scores', 'win_rates')})[./]" for name in SCORES},
}
AWAY = {"remote": "weights"}  # cached like the others, kept elsewhere
CHEAP = {
    *STATISTICS,
    *SCORES,
    *(
        "seeds",
        "filtered",
        "llm_usage",
        "category_counts",
        "verified_counts",
        "student_rows",
        "training_curves",
    ),
}
TRAINING = {"student_rows", "base_model", "checkpoint", "generations", "local_generations",
            "benchmarks", "local_benchmarks"}  # fmt: skip
LOCAL = {  # what answers, trains or judges on this machine depends on nothing that asks a server
    *TRAINING,
    *("local_judgments", "local_contestant_judgments"),
    *("filtered", "seeds", "training_curves", *STATISTICS, *SCORES),
}


def module_of(stage: str) -> str:
    return MODULE_OF.get(stage, stage)


def path_of(out: str | dict[str, Any]) -> str:
    """An out is a path, or a path with options below it."""
    return out if isinstance(out, str) else next(iter(out))


def code_of(stage: str) -> set[str]:
    return {dep for dep in STAGES[stage]["deps"] if dep.startswith("src/")}


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_its_script_and_the_rooms_that_it_uses(name: str) -> None:
    used = rooms(f"alpacare.stages.{module_of(name)}")
    declared = code_of(name)
    assert declared == used, f"missing {sorted(used - declared)}, unused {sorted(declared - used)}"
    assert len(declared) <= 8


@pytest.mark.parametrize("name", sorted(LOCAL))
def test_what_runs_on_this_machine_depends_on_no_server_code(name: str) -> None:
    assert "src/alpacare/llm" not in code_of(name)


@pytest.mark.parametrize("room", ["judging", "local_judging", "evaluation", "llm", "statistics"])
def test_an_edit_there_never_reaches_a_checkpoint(room: str) -> None:
    before = {"instructions", "responses"} if room == "llm" else set()
    reached = {name for name in STAGES if f"src/alpacare/{room}" in code_of(name)}
    assert reached.isdisjoint(TRAINING)
    assert reached & {"seeds", "instructions", "filtered", "responses"} == before


@pytest.mark.parametrize("name", STAGES)
def test_one_name_in_four_places(name: str) -> None:
    stage = STAGES[name]
    assert f"python -m alpacare.stages.{module_of(name)} " in stage["cmd"] + " "
    assert (REPOSITORY / f"src/alpacare/stages/{module_of(name)}.py").exists()
    params: list[Any] = [] if name in NO_SETTINGS else list(SECTIONS_OF.get(name, [name]))
    if name in PAID:  # of the server what names its answers, and nothing that only sets the pace
        server = f"endpoints.${{{name}.endpoint}}"
        if name == "instructions":  # it counts what survives, test sets aside
            settings = [key for key in FilteredSettings.model_fields if key not in APART]
            params += [f"filtered.{key}" for key in settings]
        params += [f"{server}.base_url", f"{server}.identity"]
    assert stage.get("params", []) == params
    sections = {key.split(".")[0] for key in params if isinstance(key, str)}
    assert sections <= set(Params.model_fields)
    written = [path_of(out) for kind in ("outs", "metrics") for out in stage.get(kind, [])]
    home = WRITTEN_TO.get(name, rf"(data|metrics)/([a-z]+/)?{name}([./]|$)")
    assert all(re.match(home, path) for path in written), written


def test_the_docstring_of_stages_lists_them_in_order() -> None:
    text = (REPOSITORY / "src/alpacare/stages/__init__.py").read_text()
    scripts = [name for name in STAGES if module_of(name) == name or name in STATISTICS]
    assert re.findall(r"^ *(\w+) {2,}", text, re.MULTILINE) == scripts
    assert all(re.search(rf"\b{name}\b", text) for name in STAGES)


@pytest.mark.parametrize("name", STAGES)
def test_metrics_in_git_come_from_cheap_stages_only(name: str) -> None:
    text = str(STAGES[name])
    assert not re.search("persist|always_changed|frozen", text)
    options = [
        dict(option)
        for kind in ("outs", "metrics", "plots")
        for out in STAGES[name].get(kind, [])
        if isinstance(out, dict)
        for option in out.values()
    ]
    assert any(option.get("cache") is False for option in options) == (name in CHEAP)
    assert name in CHEAP or all(option == AWAY for option in options)
    assert "params.yaml" not in STAGES[name]["deps"]


@pytest.mark.parametrize("name", STAGES)
def test_files_named_in_the_command_are_deps_or_outs(name: str) -> None:
    stage = STAGES[name]
    produced = [
        path_of(out) for kind in ("outs", "metrics", "plots") for out in stage.get(kind, [])
    ]
    params = [path_of(each) for each in stage.get("params", [])]
    words = {word for word in stage["cmd"].split() if "/" in word}
    assert words - {"configs/accelerate"} <= {*stage["deps"], *params, *produced}


def _run(code: str) -> tuple[float, str]:
    """Seconds of CPU, since the machine may have other work too, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, done.stdout


def _limit() -> float:
    """Seconds of CPU for `--help`: 0.3, or on a slow or busy machine a multiple of what click and
    pydantic alone take there, in the same moments."""
    return max(
        0.3, 2.5 * _run("import click, pydantic; pydantic.create_model('R', id=(str, ...))")[0]
    )


@pytest.mark.parametrize("name", STAGES)
def test_help_is_quick_and_shows_an_example(name: str) -> None:
    code = (
        "import sys, runpy; sys.argv = ['x', '--help']\n"
        f"try: runpy.run_module('alpacare.stages.{module_of(name)}', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'openai', 'datasets', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    for _ in range(5):  # one that is quick enough will do
        limit = _limit()
        seconds, shown = _run(code)
        if seconds < limit:
            break
    else:
        pytest.fail(f"--help takes {seconds:.2f} s of CPU time, allowed are {limit:.2f}")
    assert f"python -m alpacare.stages.{module_of(name)}" in shown


def test_dvc_files_are_not_hidden_by_gitignore(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text((REPOSITORY / ".gitignore").read_text())

    def ignored(path: str) -> bool:
        done = subprocess.run(["git", "check-ignore", "-q", path], cwd=tmp_path, check=False)
        return done.returncode == 0

    for out in (
        "data/filtered.jsonl",
        "data/dropped/filtered.jsonl",
        "data/student_rows/half-rows.jsonl",
        "data/model_generations/demo/terse.jsonl",
        "data/local_generations/demo/base.jsonl",
        "data/generations/demo/half-rows/0.jsonl",
        "data/imported/ours.jsonl",
        "data/categories/gpt-4o.jsonl",
        "data/verified/gpt-4o.jsonl",
        "data/checks/verified/gpt-4o.jsonl",
        "data/packs/0123456789ab.jsonl",
        "data/judgments/demo/half-rows/0/base/overlap.jsonl",
        "data/contestant_judgments/demo/base/terse/overlap.jsonl",
        "data/local_judgments/demo/half-rows/0/loglik/terse/loglik.jsonl",
        "data/benchmark_results/own-mcq/half-rows/0.jsonl",
        "data/local_benchmark_results/own-mcq/base.jsonl",
        "data/local_contestant_judgments/demo/loglik/base/terse/loglik.jsonl",
        "models/base_model/model.safetensors",
        "models/checkpoint/half-rows/0/model.safetensors",
        ".ledger/ledger.sqlite",
        ".env",
    ):
        assert ignored(out), out
    for kept in (
        "data/seeds/medical.jsonl",
        "data/tests/demo.jsonl",
        "data/tests/icliniq.jsonl.dvc",
        "data/benchmarks/own-mcq.jsonl",
        "data/benchmarks/medqa.jsonl.dvc",
        "metrics/benchmark_scores/own-mcq/half-rows/0.json",
        "data/recordings/responses.jsonl",
        "data/categories/none.jsonl",
        "data/imported/ours.jsonl.dvc",
        "data/packs/0123456789ab.jsonl.dvc",
        "models/checkpoint.dvc",
        "models/published/weights.dvc",
        "students/half-rows.yaml",
        "metrics/scores/demo/half-rows/0/base/overlap.json",
        "metrics/training_curves/half-rows/0.csv",
        "metrics/win_rates/demo/half-rows/0.json",
        "data/accepted.jsonl",
    ):
        assert not ignored(kept), kept


@pytest.fixture
def study(params: Path) -> None:
    """Two test sets, a benchmark, a sorter, a verifier that is learned from, a judge here."""
    text = params.read_text()
    for old, new in (
        ("tests: [demo]", "tests: [demo, two]"),
        ("benchmarks: []", "benchmarks: [own-mcq]"),
        ("verifiers: []", "verifiers: [gpt-4o]"),
        ("  responses: responses", "  responses: verified/gpt-4o"),
        ("categories: []", "categories: [gpt-4o]"),
        ("  categories: none", "  categories: gpt-4o"),
        ("local_judges: []", "local_judges: [loglik]"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    params.write_text(text)
    Path("dvc.yaml").symlink_to(REPOSITORY / "dvc.yaml")


def test_every_input_is_an_output_of_one_cell_or_a_file_of_git(study: None) -> None:
    written = [path for cell in cells().values() for path in cell.writes]
    assert len(written) == len(set(written))
    for address, cell in cells().items():
        for path in cell.reads:
            here = (REPOSITORY / path).exists() or path == "data/tests/two.jsonl"
            assert writer(Path(path)) or here, f"{address}: {path}"


def test_what_comes_before_a_stage_is_found_through_its_cells(study: None) -> None:
    assert {"categories@gpt-4o", "verified@gpt-4o", "responses", "seeds"} <= cells_before(
        ["student_rows"]
    )
    assert {"instructions", "responses"} <= cells_before(["llm_usage"])
    one = cells_before(["scores@two-all-rows-1"])
    assert {"checkpoint@all-rows-1", "generations@two-half-rows-1-batched"} <= one
    assert not {"checkpoint@all-rows-0", "model_generations@demo"} & one
    with pytest.raises(BadInput, match="no stage 'chekpoint'"):
        cells_before(["chekpoint@half-rows-1"])
    with pytest.raises(BadInput, match=r"no cell 'scores@half-rows-1'.* scores@demo-all-rows-0"):
        cells_before(["scores@half-rows-1"])
