"""`filtered`, as others script against it: rows, reasons, counts, bytes."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import run
from filtering_stage import FILES, TEXTS, configure, filtered, write_tasks

from alpacare.records.task import row_id
from alpacare.stages.filtered import main


def test_keep_first_keeps_one_of_each_near_pair(workspace: Path) -> None:
    configure()
    write_tasks("in.jsonl", TEXTS)
    kept, dropped, metrics = filtered()
    assert kept == TEXTS[:2]
    assert [row["witness"] for row in dropped] == [row_id(TEXTS[0], "")] * 2
    assert [row["score"] for row in dropped] == pytest.approx([10 / 11, 9 / 11])
    assert metrics == {
        "instructions": 4,
        "kept": 2,
        "kept_share": 0.5,
        "dropped": {"contamination": 0, "rouge_l_seed": 0, "rouge_l": 2},
        "compared": {"by": "instruction", "by_input": 0},
        "unseen_by_tokenizer": 0,
        "compared_with": {"seeds": 0, "test_tasks": 0},
        "in_test_sets": 0,
        "nearest_to_test_sets": 0.0,
    }


def test_keep_none_drops_both_of_a_near_pair(workspace: Path) -> None:
    configure(keep="none")
    write_tasks("in.jsonl", TEXTS)
    kept, dropped, _ = filtered()
    assert kept == [TEXTS[1]]
    assert [row["witness"] for row in dropped] == [
        row_id(TEXTS[i], "") for i in (2, 0, 2)
    ]  # each names its nearest, the earlier on a tie


@pytest.mark.parametrize("keep", ["first", "none"])
@pytest.mark.parametrize("texts", [[], ["alone"], ["", "!", "?"]])
def test_nothing_to_compare(workspace: Path, texts: list[str], keep: str) -> None:
    configure(keep=keep)
    rows = [json.dumps({"id": f"{n}", "instruction": text}) for n, text in enumerate(texts)]
    Path("in.jsonl").write_text("".join(f"{row}\n" for row in rows))
    kept, dropped, metrics = filtered()
    assert (kept, dropped, metrics["kept"]) == (texts, [], len(texts))


def test_kept_rows_keep_their_bytes(workspace: Path) -> None:
    configure()
    odd = '{"note": 1.50,  "instruction":"Name \\u00e9 é.", "id":"a", "nested": {"x": [null]}}\n'
    Path("in.jsonl").write_text("\n" + odd + '{"id": "b", "instruction": "Name a é!"}\n\n')
    kept, _, _ = filtered()
    assert len(kept) == 2
    assert Path("out.jsonl").read_text().startswith(odd)


def test_one_question_about_two_cases(workspace: Path) -> None:
    cases = ["A man of 40 with chest pain.", "A girl of 5 who has a rash on both hands."]
    write_tasks("in.jsonl", [("What is the most likely diagnosis?", case) for case in cases])
    for compare, left in (("instruction", 1), ("task", 2)):
        configure(compare=compare)
        assert filtered()[2]["kept"] == left


def test_near_copies_of_seeds_are_dropped(workspace: Path) -> None:
    write_tasks("in.jsonl", TEXTS)
    write_tasks("seeds.jsonl", [TEXTS[1] + " please", TEXTS[1].upper()])
    configure(against_seeds=True)
    kept, dropped, metrics = filtered("--seeds", "seeds.jsonl")
    assert kept == TEXTS[:1]
    assert (dropped[0]["reason"], dropped[0]["score"]) == ("rouge_l_seed", 1.0)
    assert dropped[0]["witness"] == row_id(TEXTS[1].upper(), "")
    assert metrics["dropped"] == {"contamination": 0, "rouge_l_seed": 1, "rouge_l": 2}
    assert metrics["compared_with"]["seeds"] == 2
    configure(against_seeds=False)
    kept, _, metrics = filtered("--seeds", "seeds.jsonl")
    assert (kept, metrics["compared_with"]["seeds"]) == (TEXTS[:2], 0)


def test_heuristics_come_first_and_are_counted(workspace: Path) -> None:
    heuristics = {"same_as_seed": True, "starts_with_punctuation": True}
    configure(heuristics=heuristics, against_seeds=False)
    write_tasks("in.jsonl", ["- " + TEXTS[0], TEXTS[0].title(), TEXTS[2]])
    write_tasks("seeds.jsonl", [TEXTS[0]])
    kept, dropped, metrics = filtered("--seeds", "seeds.jsonl")
    assert kept == [TEXTS[2]], "a row dropped by a heuristic is no witness"
    assert [row["reason"] for row in dropped] == ["starts_with_punctuation", "same_as_seed"]
    assert dropped[1]["witness"] == row_id(TEXTS[0], "")
    assert metrics["dropped"] == {
        "starts_with_punctuation": 1,
        "same_as_seed": 1,
        "contamination": 0,
        "rouge_l_seed": 0,
        "rouge_l": 0,
    }


def test_letters_unseen_by_the_tokenizer(workspace: Path) -> None:
    rows = ["请解释高血压的原因和治疗方法", "请解释高血压的原因和治疗方法。", "Name a bone."]
    configure(tokenizer="latin")
    write_tasks("in.jsonl", rows)
    result = run(main, *FILES)
    assert "2 instructions mostly in letters that tokenizer 'latin' does not see" in result.output
    assert json.loads(Path("m.json").read_text())["unseen_by_tokenizer"] == 2
    configure(tokenizer="unicode")
    kept, _, metrics = filtered()
    assert kept == [rows[0], rows[2]]
    assert metrics["unseen_by_tokenizer"] == 0


def test_a_constant_instruction_is_said_and_counted(workspace: Path) -> None:
    lead = "Be a kind nurse and answer the person below in plain words, please, and be brief."
    questions = ["Why does my knee click?", "Is tea good for iron?", "May a baby fly?"]
    configure()
    write_tasks("in.jsonl", [(lead, question) for question in questions])
    result = run(main, *FILES)
    assert "compared by input: 3 of 3 instructions" in result.output
    assert "nearly all have it: 'Be a kind nurse and" in result.output
    assert filtered()[2]["compared"] == {"by": "input", "by_input": 3}
    assert filtered()[2]["kept"] == 3


# ---- wrong input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ('{"id": "a"}', "in.jsonl:1: field 'instruction': field required"),
        ('{"id": "a", "instruction": "x"}\n' * 2, "in.jsonl:2: id 'a' is already on line 1"),
        ('{"id": "a", "instruction": 7}', "in.jsonl:1: field 'instruction'"),
        ('{"id": "a", "instr', "in.jsonl:1: not valid JSON"),
        ("[]", "in.jsonl:1: expected a JSON object, found list"),
        ('{"id": "a", "n": ' + "1" * 5000 + "}", "in.jsonl:1: a number of more than 4,300 digits"),
    ],
)
def test_bad_rows_are_named_and_nothing_is_written(
    workspace: Path, rows: str, message: str
) -> None:
    configure()
    Path("in.jsonl").write_text(rows)
    Path("out.jsonl").write_text("earlier")
    result = run(main, *FILES)
    assert (result.exit_code, message in result.output) == (2, True), result.output
    assert Path("out.jsonl").read_text() == "earlier"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rouge_l": 1.5}, "filtered.rouge_l: input should be less than or equal to 1"),
        ({"keep": "last"}, "filtered.keep: input should be 'first' or 'none'"),
        ({"heuristics": {"not_englisch": True}}, "did you mean 'not_english'?"),
        ({"engine": "spark"}, "filtered.engine: input should be 'local' or 'ray'"),
        ({"contamination_words": 0}, "filtered.contamination_words"),
    ],
)
def test_bad_settings_are_named(workspace: Path, settings: dict[str, Any], message: str) -> None:
    configure(**settings)
    write_tasks("in.jsonl", TEXTS)
    result = run(main, *FILES)
    assert (result.exit_code, message in result.output) == (2, True), result.output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--test-set", "tests/none.jsonl"], "tests/none.jsonl: no such file"),
        (["--test-set", "empty"], "empty: no test tasks"),
        (["--test-set", "empty.jsonl"], "empty.jsonl: no test tasks"),
        (["--test-set", "in.jsonl", "--test-set", "a/in.jsonl"], "another test set named 'in'"),
        (["--seeds", "empty"], "empty: is no file"),
        (["--nearest", "out.jsonl"], "out.jsonl: would be overwritten"),
        (["--nearest", "a/../in.jsonl"], "in.jsonl: would be overwritten"),
        (["--nearest", "empty"], "empty: is a folder"),
    ],
)
def test_wrong_files_are_named_and_nothing_is_written(
    workspace: Path, options: list[str], message: str
) -> None:
    configure()
    write_tasks("in.jsonl", TEXTS)
    Path("empty").mkdir()
    Path("a").mkdir()
    write_tasks("a/in.jsonl", TEXTS)
    Path("empty.jsonl").write_text("")
    result = run(main, *FILES, *options)
    assert (result.exit_code, message in result.output) == (2, True), result.output
    assert not Path("out.jsonl").exists()


def test_a_pipe_is_refused_since_it_can_be_read_once_only(workspace: Path) -> None:
    configure()
    os.mkfifo("pipe")
    result = run(main, "pipe", *FILES[1:])
    assert (result.exit_code, "pipe: is no file" in result.output) == (2, True)


# ---- the same bytes everywhere -------------------------------------------------------------------


def write_corpus(rows: int) -> None:
    draw = random.Random(0)
    words = [f"w{n}" for n in range(40)]
    texts = [" ".join(draw.choices(words, k=draw.randint(3, 9))) for _ in range(rows)]
    lines = [json.dumps({"id": f"{n}", "instruction": text}) for n, text in enumerate(texts)]
    Path("in.jsonl").write_text("".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize("keep", ["first", "none"])
def test_hash_seeds_and_cores_do_not_matter(workspace: Path, keep: str) -> None:
    configure(keep=keep, rouge_l=0.5)
    write_corpus(600)
    outputs = set()
    for seed, cores in (("0", {0}), ("77", os.sched_getaffinity(0))):
        command = [sys.executable, "-m", "alpacare.stages.filtered", *FILES]
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
            preexec_fn=lambda cores=cores: os.sched_setaffinity(0, cores),
        )
        outputs.add(tuple(Path(name).read_bytes() for name in ("out.jsonl", "d.jsonl", "m.json")))
    assert len(outputs) == 1
    assert 100 < len(Path("d.jsonl").read_text().splitlines()) < 600


@pytest.mark.parametrize("keep", ["first", "none"])
def test_ray_gives_the_same_bytes(workspace: Path, keep: str) -> None:
    write_corpus(300)
    outputs = set()
    for engine in ("local", "ray"):
        configure(keep=keep, engine=engine, rouge_l=0.5)
        filtered()
        outputs.add(tuple(Path(name).read_bytes() for name in ("out.jsonl", "d.jsonl", "m.json")))
    assert len(outputs) == 1
