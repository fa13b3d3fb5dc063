"""Stage `benchmarks` with lm-eval itself, on models whose likelihoods are known by hand."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from benchmarks.rigged import LETTERS, OTHER, PREFERRED, item, save_student, write_benchmark
from click.testing import Result
from conftest import REPOSITORY, run

from alpacare.core import jsonl
from alpacare.core.files import read_json
from alpacare.records.benchmark_item import BenchmarkItem
from alpacare.records.benchmark_result import BenchmarkResult, read_results
from alpacare.stages.benchmark_scores import main as benchmark_scores
from alpacare.stages.benchmarks import main as benchmarks
from alpacare.stages.local_benchmarks import main as local_benchmarks

pytest.importorskip("lm_eval", reason="run: make benchmarks")

OUT = Path("data/benchmark_results/hand/all-rows/0.jsonl")
FOUR = ["heart", "lung", "which", "is"]
# The question's last word is what `repeats` says comes next: scored by hand, in order
ITEMS = [
    item("which is the key A", FOUR, 0, subject="cardiology"),  # right: A
    item("which is the key B", FOUR, 1, subject="cardiology"),  # right: B
    item("the key D", FOUR, 2, subject="lung"),  # says D, and C is right
    item("the key heart", FOUR, 3),  # no letter: all alike, so the first, A
    item("key " * 20 + "C", FOUR[:3], 2),  # right: C, and too long for 16 tokens
]
CHOSEN = [0, 1, 3, 0, 2]
SCORES = [1.0, 1.0, 0.0, 0.0, 1.0]


def likelihoods(chosen: int | None, choices: int = 4) -> list[float]:
    return [PREFERRED if place == chosen else OTHER for place in range(choices)]


HAND = [likelihoods(0), likelihoods(1), likelihoods(3), likelihoods(None), likelihoods(2, 3)]


def meet(kind: str, name: str = "hand") -> Result:
    checkpoint = Path("models/checkpoint", kind)
    if not checkpoint.exists():
        save_student(checkpoint, kind)
    return run(
        benchmarks, f"benchmarks/{name}", f"data/benchmarks/{name}.jsonl", checkpoint, OUT,
        "--run", OUT.with_suffix(".json"),
    )  # fmt: skip


def results(kind: str, name: str = "hand") -> list[BenchmarkResult]:
    done = meet(kind, name)
    assert done.exit_code == 0, done.output
    assert re.search(rf"^{name}: (\d+)/\1 requests ", done.output, re.MULTILINE)
    return read_results(OUT)


def by_command_line(name: str) -> list[dict[str, Any]]:
    """What plain lm-eval says of each item."""
    subprocess.run(
        [
            *(sys.executable, "-m", "lm_eval", "run", "--model", "hf", "--device", "cpu"),
            *("--model_args", "pretrained=models/checkpoint/repeats,dtype=float32"),
            *("--tasks", name, "--include_path", f"benchmarks/{name}", "--batch_size", "8"),
            *("--output_path", "plain", "--log_samples"),
        ],
        check=True,
        capture_output=True,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": "cache"},
    )
    (path,) = Path("plain").glob(f"*/samples_{name}_*.jsonl")
    return [row for _, row in jsonl.read_objects(path)]


def test_stage_and_command_line_agree_with_each_other_and_with_what_is_scored_by_hand(
    params: Path,
) -> None:
    write_benchmark("hand", ITEMS)
    ours, plain = results("repeats"), by_command_line("hand")
    assert [row.id for row in ours] == [each.id for each in ITEMS]
    assert [row.chosen for row in ours] == CHOSEN
    assert [row.score for row in ours] == SCORES == [row["acc"] for row in plain]
    for row, expected in zip(ours, HAND, strict=True):
        assert row.likelihoods == pytest.approx(expected, abs=1e-4)
    assert [row["doc"]["id"] for row in plain] == [row.id for row in ours]
    for row, other in zip(ours, plain, strict=True):
        assert row.likelihoods == [float(each[0]) for each in other["filtered_resps"]]
    assert [row.too_long for row in ours] == [False] * 4 + [True]


def test_a_model_that_is_always_right_and_one_that_always_says_a(params: Path) -> None:
    letters = "ABCDAAB"
    items = [
        item(f"{'the ' * n}key {letter}", FOUR, "ABCD".index(letter))
        for n, letter in enumerate(letters)
    ]
    write_benchmark("hand", items)
    assert [row.score for row in results("repeats")] == [1.0] * 7
    scored = _scored()
    assert (scored["score"], scored["n"], scored["failures"]) == (1.0, 7, 0)
    assert scored["letters"]["A"] == {"chosen": 0.4286, "right": 0.4286}  # 3 of 7
    first = OUT.read_bytes()
    results("repeats")
    assert OUT.read_bytes() == first
    assert [row.chosen for row in results("always_a")] == [0] * 7
    scored = _scored()
    assert scored["score"] == 0.4286  # the share of A
    assert scored["letters"]["A"] == {"chosen": 1.0, "right": 0.4286}
    assert scored["letters"]["B"] == {"chosen": 0.0, "right": 0.2857}
    assert scored["chance"] == 0.25


def _scored() -> dict[str, Any]:
    done = run(benchmark_scores, OUT, "scores.json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = read_json(Path("scores.json"))
    return found


def test_a_model_without_numbers_fails_each_item_and_scores_nothing(params: Path) -> None:
    write_benchmark("hand", ITEMS)
    rows = results("broken")
    assert {(row.score, row.chosen) for row in rows} == {(None, None)}
    scored = _scored()
    assert (scored["score"], scored["n"], scored["n_valid"], scored["failures"]) == (None, 5, 0, 5)
    assert scored["too_long"] == 1


def test_examples_never_show_an_item_its_own_answer(params: Path) -> None:
    write_benchmark("hand", ITEMS[:3])
    text = params.read_text()
    params.write_text(text.replace("few_shot: null", "few_shot: 2"))
    refused = meet("repeats")
    assert refused.exit_code == 2
    assert "has no fewshot_split, so lm-eval might show an item its own answer" in refused.output
    write_benchmark("shown", ITEMS[:3], f"{LETTERS}\nfewshot_split: test")
    rows = results("repeats", "shown")
    assert [row.chosen for row in rows] == CHOSEN[:3]  # the last word still decides
    assert read_json(OUT.with_suffix(".json"))["settings"]["few_shot"] == 2
    params.write_text(text.replace("few_shot: null", "few_shot: 3"))
    assert "3 examples of 3 items" in meet("repeats", "shown").output


def test_chat_template_is_the_student_s_own_prompt(params: Path) -> None:
    write_benchmark("hand", ITEMS)
    params.write_text(params.read_text().replace("chat_template: false", "chat_template: true"))
    # which ends in B: the model repeats that word, whatever the question
    assert [row.chosen for row in results("repeats")] == [1] * 5


def test_texts_are_written_and_scored_by_the_task_s_own_metric(params: Path) -> None:
    more = """\
output_type: generate_until
doc_to_text: "{{question}}"
doc_to_target: answer
generation_kwargs: {until: ["."], max_gen_toks: 3, do_sample: false}
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]"""
    texts = [item("the key", [], "key key key"), item("the heart", [], "lung")]
    write_benchmark("hand", texts, more)
    rows = results("repeats")
    assert [(row.output, row.score) for row in rows] == [
        ("key key key", 1),
        ("heart heart heart", 0),
    ]
    assert [row.cut_off for row in rows] == [True, True]
    assert _scored()["letters"] == {}


def test_other_models_meet_it_too(params: Path) -> None:
    write_benchmark("hand", ITEMS)
    save_student(Path("base"), "repeats")
    models = Path("models-here/base")
    models.mkdir(parents=True)
    (models / "settings.yaml").write_text("model: base\nrevision: null\nprompt: alpaca\n")
    done = run(
        local_benchmarks, "benchmarks/hand", "data/benchmarks/hand.jsonl", "out", "--models",
        "models-here", "--base-model", "none", "--prompt", REPOSITORY / "prompts/student",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "base: acc 60.0 % of 5 items, 0 failed" in done.output
    assert run(benchmark_scores, "out", "figures").exit_code == 0
    assert read_json(Path("figures/base.json"))["by_subject"]["cardiology"]["n"] == 2


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("task: hand", "task: other", "task: 'other' must be the name of its folder, hand"),
        ("dataset_path: json", "dataset_path: org/exam", "must read the file of this project"),
        ("metric: acc,", "metric: f1,", "the first metric must be one of acc, acc_norm"),
        ("{{question}}", "{{question", "task.yaml: lm-eval: "),
        (
            "multiple_choice",
            "loglikelihood_rolling",
            "should be 'multiple_choice' or 'generate_until'",
        ),
        ("{{question}}", "{{questoin}}", "lm-eval: UndefinedError: 'questoin' is undefined"),
        ("test_split: test", "validation_split: test", "must say `test_split: test`"),
        ("metric_list: [{metric", "metric_list: [acc, {metric", "metric_list.0: expected 'key:"),
        ("test_split: test", "test_split: test\nmetadata: 1.0", "metadata: expected 'key: value'"),
        # a number of its own, and nothing that keeps an item from being shown its own answer
        ("test_split: test", "test_split: test\nnum_fewshot: 1", "has no fewshot_split"),
    ],
)
def test_a_task_that_would_do_something_else_is_refused(
    params: Path, old: str, new: str, told: str
) -> None:
    folder, _ = write_benchmark("hand", ITEMS)
    path = folder / "task.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    refused = meet("repeats")
    assert refused.exit_code == 2
    assert told in refused.output
    assert len(refused.output.strip().splitlines()) == 1
    assert not OUT.exists()


CHANGED = (
    "def first(rows): return rows.select([0])\ndef bare(rows): return rows.remove_columns('id')"
)
TEXTS = """\
output_type: generate_until
doc_to_text: "{{question}}"
doc_to_target: answer
generation_kwargs: {max_gen_toks: 3}
metric_list: [{metric: METRIC}]"""


@pytest.mark.parametrize(
    ("items", "more", "told"),
    [
        (ITEMS, f"{LETTERS}\nprocess_docs: !function more.first", "scored 1 of 5 items, and not"),
        (ITEMS, f"{LETTERS}\nprocess_docs: !function more.bare", "must keep the items' `id`"),
        (ITEMS, LETTERS.replace("target: answer", "target: 1"), "another right one than its own"),
        (ITEMS, LETTERS.replace("{{question}}", ""), "gives item"),
        ([item("the key", [], "key")], TEXTS.replace("METRIC", "bleu"), "metric 'bleu' gives ['"),
        ([item("the key", [], "key")], TEXTS.replace("METRIC", "nope"), "it does not know"),
    ],
)
def test_results_that_are_not_those_of_the_items_are_refused(
    params: Path, items: list[BenchmarkItem], more: str, told: str
) -> None:
    folder, _ = write_benchmark("hand", items, more)
    (folder / "more.py").write_text(CHANGED)
    refused = meet("repeats")
    assert refused.exit_code == 2
    assert told in refused.output.strip().splitlines()[-1]
    assert not OUT.exists()


def test_weights_that_do_not_load_are_refused(params: Path) -> None:
    from safetensors.torch import load_file, save_file

    write_benchmark("hand", ITEMS)
    weights = save_student(Path("models/checkpoint/repeats"), "repeats") / "model.safetensors"
    kept = {name: each for name, each in load_file(weights).items() if "lm_head" not in name}
    save_file(kept, weights, {"format": "pt"})
    refused = meet("repeats")
    assert refused.exit_code == 2
    assert (
        "its weights are not those of its config.json; missing: 1, first lm_head" in refused.output
    )


def test_without_lm_eval_one_line_says_what_to_run(
    params: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_benchmark("hand", ITEMS)
    monkeypatch.setattr("alpacare.benchmarks.running.find_spec", lambda name: None)
    refused = meet("repeats")
    assert refused.exit_code == 2
    assert refused.output == "error: benchmarks: lm-eval is not installed; run: make benchmarks\n"
