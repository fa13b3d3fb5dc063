"""`alpacare publish` to a folder: what others get, and what is refused."""

import json
import shlex
from pathlib import Path
from typing import Any

import mlcroissant
import pytest
from conftest import REPOSITORY, run
from huggingface_hub import ModelCard
from ruamel.yaml import YAML
from small_project import (
    PLAIN,
    SCORE,
    TASKS,
    WEIGHTS,
    edit_yaml,
    ok,
    published,
    recorded,
    refused,
    response,
    write_rows,
)

from alpacare.cli.publish import publish
from alpacare.core.settings import read_yaml
from alpacare.evaluation.score_table import format_score, read_score

pytest_plugins = ["project_fixtures"]

KEY = "sk-" + "proj-0123456789abcdefghij"


def front_matter(card: Path) -> dict[str, Any]:
    head: dict[str, Any] = YAML(typ="safe").load(card.read_text().split("---\n")[1])
    return head


def test_without_yes_it_only_says_what_it_would_write(project: Path) -> None:
    done = run(publish, *PLAIN)
    assert done.exit_code == 0, done.output
    assert "dataset -> published/dataset: 8 files, " in done.output
    assert "KB, CC-BY-4.0" in done.output
    size = (project / f"{WEIGHTS}/model.safetensors").stat().st_size
    assert f"{size / 1000:.1f} KB  model.safetensors" in done.output
    assert "--yes does it" in done.output
    assert not (project / "published").exists()
    assert ok(project, "git", "status", "--short") == ""


def test_the_rows_are_the_same_in_every_form_and_in_order(project: Path, tmp_path: Path) -> None:
    published(*PLAIN)
    folder = project / "published/dataset"
    rows = [dict(zip(("instruction", "input", "output"), task, strict=True)) for task in TASKS]
    assert json.loads((folder / "train.json").read_text()) == rows
    assert [
        json.loads(line) for line in (folder / "train.jsonl").read_text().split("\n")[:-1]
    ] == rows
    code = (
        "import datasets, json, sys;"
        "data = datasets.load_dataset(sys.argv[1], cache_dir=sys.argv[2]);"
        "print(json.dumps({split: rows.to_list() for split, rows in data.items()}))"
    )
    loaded = ok(project, "env", "HF_HUB_OFFLINE=1", "python", "-c", code, folder, tmp_path / "hf")
    assert json.loads(loaded) == {"train": rows}


def test_each_rows_id_and_model_are_in_a_file_beside_the_data(project: Path) -> None:
    published(*PLAIN)
    lines = (project / "published/dataset/provenance.jsonl").read_text().splitlines()
    keys = ("id", "finish_reason", "model", "request")
    answers = [response(*task) for task in TASKS]
    assert [json.loads(line) for line in lines] == [
        {key: answer[key] for key in keys} for answer in answers
    ]


def test_the_weights_are_the_checkpoints_bytes(project: Path) -> None:
    published(*PLAIN)
    made, given = project / WEIGHTS, project / "published/model"
    names = {path.relative_to(made) for path in made.rglob("*") if path.is_file()}
    assert {path.relative_to(given) for path in given.rglob("*") if path.is_file()} == names
    for name in names - {Path("README.md")}:
        assert (given / name).read_bytes() == (made / name).read_bytes()


def test_the_cards_say_who_wrote_it_and_under_which_licence(project: Path) -> None:
    published(*PLAIN, "--model-licence", "apache-2.0")
    card = (project / "published/dataset/README.md").read_text()
    head = front_matter(project / "published/dataset/README.md")
    assert (head["license"], head["size_categories"]) == ("cc-by-4.0", ["n<1K"])
    assert front_matter(project / "published/model/README.md")["license"] == "apache-2.0"
    counts = json.loads((project / "metrics/filtered.json").read_text())
    assert f"{counts['kept']} of {counts['instructions']}; dropped: 12 rouge_l" in card
    assert "`demo-teacher` (59 calls)" in card
    assert "`some-teacher` (3)" in card
    assert '"rouge_l": 0.7' in card
    assert ok(project, "git", "rev-parse", "HEAD").strip() in card
    assert "nothing uncommitted" in card
    lock = read_yaml(project / "dvc.lock")["stages"]
    assert lock["responses"]["outs"][0]["md5"] in card
    assert lock["filtered"]["outs"][0]["md5"] in card
    assert "Not for care" in card
    assert "No clinician has reviewed it" in card
    assert str(project) not in card


def test_the_models_card_keeps_trainings_and_adds_scores_with_intervals(project: Path) -> None:
    published(*PLAIN)
    card = (project / "published/model/README.md").read_text()
    assert front_matter(project / "published/model/README.md")["library_name"] == "transformers"
    assert "| loss | 2.0000 at the first step" in card
    assert (
        f"| demo | terse | overlap | {' | '.join(format_score(read_score(project / SCORE)))} |"
        in card
    )
    assert " to " in format_score(read_score(project / SCORE))[0]
    assert "torch 2.13.0" in card


def test_machines_read_the_win_rates_with_their_intervals(project: Path) -> None:
    published(*PLAIN)
    card = ModelCard.load(project / "published/model/README.md")
    score = read_score(project / SCORE)
    named = {result.metric_name: result for result in card.data.eval_results}
    (found,) = [name for name in named if name.startswith("win rate in % against terse, judged by")]
    assert f": {format_score(score)[0]}, 95 % interval, {score.n_valid} items" in found
    assert named[found].metric_value == pytest.approx(100 * score.win_rate, abs=0.005)
    assert named[found].dataset_name == "demo"


def test_croissant_metadata_is_valid_and_reads_the_rows(project: Path) -> None:
    published(*PLAIN)
    metadata = mlcroissant.Dataset(jsonld=project / "published/dataset/croissant.json")
    rows = [
        {key.removeprefix("rows/"): value.decode() for key, value in row.items()}
        for row in metadata.records("rows")
    ]
    assert rows == [
        dict(zip(("instruction", "input", "output"), task, strict=True)) for task in TASKS
    ]


def test_any_student_and_seed_can_be_published(project: Path) -> None:
    first = "weights of all-rows, seed 0; others: --student, --seed"
    assert first in run(publish, *PLAIN).output
    out = published(*PLAIN, "--student", "half-rows", "--seed", "1")
    assert "weights of half-rows, seed 1;" in out
    given = (project / "published/model/model.safetensors").read_bytes()
    assert given == (project / "models/checkpoint/half-rows/1/model.safetensors").read_bytes()
    card = (project / "published/model/README.md").read_text()
    assert "| student | `half-rows`, training seed 1 |" in card
    assert "learned from 1 of the 3 rows of `data/responses.jsonl`, chosen by" in card
    assert '"take": 166' in card
    assert len(json.loads((project / "published/dataset/train.json").read_text())) == 3


def test_rows_of_another_file_than_is_here_are_refused(project: Path) -> None:
    write_rows(project / "data/student_rows/all-rows.jsonl", [response("Another?", "", "Yes.")])
    ok(project, "dvc", "commit", "--force", "-q", "student_rows", "checkpoint")
    line = refused(*PLAIN, "--student", "all-rows")
    assert f"{WEIGHTS}/training.json: it was trained on another data/student_rows" in line


def test_settings_in_the_card_are_those_that_made_the_data(project: Path) -> None:
    text = (project / "params.yaml").read_text()
    (project / "params.yaml").write_text(text.replace("rouge_l: 0.7 ", "rouge_l: 0.5 "))
    out = published(*PLAIN)
    card = (project / "published/dataset/README.md").read_text()
    assert '"rouge_l": 0.7' in card
    assert "**with uncommitted changes** in `params.yaml`" in card
    assert "params.yaml are not committed" in out


def test_a_second_time_replaces_what_the_first_wrote(project: Path) -> None:
    published(*PLAIN)
    (project / "published/dataset/old.txt").write_text("old")
    published(*PLAIN[:-1], "MIT")
    assert not (project / "published/dataset/old.txt").exists()
    assert front_matter(project / "published/dataset/README.md")["license"] == "mit"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (PLAIN[:-2], "choose a licence: --licence "),
        (PLAIN[:-2], "answers by some-teacher: the terms of whoever serves the model"),
        ((*PLAIN[:-1], "cc-by"), "'cc-by' is not among the licences known here: Apache-2.0, "),
        ((*PLAIN[:-1], "other"), "licence 'other' needs its text: --licence-text FILE"),
        (("--to", "folder"), "--to folder needs --out"),
        ((*PLAIN, "--dataset", "a/b"), "--dataset, --model and --public are for --to hub"),
        ((*PLAIN, "--public"), "--dataset, --model and --public are for --to hub"),
        (("--to", "hub"), "--to hub needs --dataset ORG/NAME, --model ORG/NAME, or both"),
        (
            ("--to", "hub", "--model", "student"),
            "'student' is not a name on the Hub: write ORG/NAME",
        ),
        (("--to", "hub", "--model", "our lab/x"), "'our lab/x' is not a name on the Hub: "),
        (("--to", "hub", "--model", "a/b", "--out", "x"), "--out is for --to folder"),
        ((*PLAIN[:3], "shared", *PLAIN[4:]), "shared/dataset: `git add .` would add it; "),
        ((*PLAIN[:3], WEIGHTS, *PLAIN[4:]), f"is in {WEIGHTS}, which DVC"),
        ((*PLAIN, "--student", "nobody"), "'nobody' is not in students: all-rows, half-rows"),
        ((*PLAIN, "--seed", "5"), "--seed: 5 is not in training_seeds: 0, 1"),
    ],
)
def test_wrong_options(project: Path, arguments: tuple[str, ...], message: str) -> None:
    assert message in refused(*arguments)


def test_another_licence_is_published_with_its_text(project: Path) -> None:
    (project / "published.txt").write_text("You may read it on Sundays.")
    published(*PLAIN[:-1], "other", "--licence-text", "published.txt")
    for kind in ("dataset", "model"):
        folder = project / "published" / kind
        assert (folder / "LICENSE").read_text() == "You may read it on Sundays."
        head = front_matter(folder / "README.md")
        assert (head["license"], head["license_link"]) == ("other", "LICENSE")


def test_data_of_alpacare_stays_non_commercial(project: Path) -> None:
    write_rows(project / "data/imported/medinstruct-52k.jsonl", [response(*TASKS[0])])
    ok(project, "dvc", "add", "-q", "data/imported/medinstruct-52k.jsonl")

    def start_there(document: Any) -> None:
        document["sources"]["responses"] = "imported/medinstruct-52k"

    edit_yaml(project / "params.yaml", start_there)
    recorded(project, "student_rows", "checkpoint")
    line = refused(*PLAIN)
    assert "CC-BY-4.0 allows more than data/imported/medinstruct-52k does" in line
    published(*PLAIN[:-1], "CC-BY-NC-4.0")
    assert len(json.loads((project / "published/dataset/train.json").read_text())) == 1
    card = (project / "published/dataset/README.md").read_text()
    assert "imported: `data/imported/medinstruct-52k.jsonl`" in card
    assert "CC BY-NC 4.0, so no commercial use" in card


def test_stale_or_missing_files_are_refused(project: Path) -> None:
    path = project / "data/responses.jsonl"
    content = path.read_bytes()
    path.unlink()
    assert "data/responses.jsonl: is not here; run `alpacare pull`, or" in refused(*PLAIN)
    path.write_bytes(content + content.replace(b"heart", b"liver"))
    assert "data/responses.jsonl: is not what DVC recorded; run `dvc repro`" in refused(*PLAIN)
    path.write_bytes(content)
    (project / f"{WEIGHTS}/prompt/form.txt").write_text("chat\n")
    assert f"{WEIGHTS}: is not what DVC recorded" in refused(*PLAIN, "--seed", "0")


def test_the_data_goes_alone_while_a_checkpoint_is_older(project: Path) -> None:
    """With the instructions before and after the filter, as a data set of AlpaCare's has them."""
    write_rows(project / "data/responses.jsonl", [response(*TASKS[0])])
    ok(project, "dvc", "commit", "--force", "-q", "responses")
    line = refused(*PLAIN, "--student", "all-rows")
    assert "data/student_rows/all-rows.jsonl: was made from another data/responses.jsonl" in line
    out = published(*PLAIN)
    assert "note: the data alone, without weights: " in out
    folder = project / "published/dataset"
    assert len(json.loads((folder / "train.json").read_text())) == 1
    assert not (project / "published/model").exists()
    for name in ("instructions.jsonl", "filtered.jsonl"):
        assert (folder / name).read_bytes() == (project / "data" / name).read_bytes()
    configs = front_matter(folder / "README.md")["configs"]
    assert [each["config_name"] for each in configs] == ["default", "instructions", "filtered"]


def test_responses_to_what_has_been_replaced_are_refused(project: Path) -> None:
    write_rows(project / "data/filtered.jsonl", [{"stage": "another"}])
    recorded(project, "filtered")
    line = refused(*PLAIN)
    assert (
        "data/responses.jsonl: was made from another data/filtered.jsonl; run `dvc repro`" in line
    )


def test_scores_of_another_checkpoint_are_left_out(project: Path) -> None:
    (project / f"{WEIGHTS}/prompt/form.txt").write_text("chat\n")
    recorded(project, "checkpoint")
    out = published(*PLAIN)
    assert (
        "note: left out of the card: metrics/scores/demo/all-rows/0: was made from another"
        not in out
    )
    assert f"data/generations/demo/all-rows/0.jsonl: was made from another {WEIGHTS}" in out
    assert "Not judged." in (project / "published/model/README.md").read_text()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("pytorch_model.bin", b"\x80\x04", "is neither safetensors nor text; pickles and programs"),
        ("modeling.py", b"print()", "modeling.py: is neither safetensors nor text"),
        ("more.safetensors", b"\x80\x04K\x01.", "more.safetensors: is not a safetensors file"),
        ("notes.txt", f"old\nkey {KEY}\n".encode(), "notes.txt:2: holds a key for a model vendor"),
    ],
)
def test_weights_that_could_run_code_or_hold_keys_are_refused(
    project: Path, name: str, content: bytes, message: str
) -> None:
    (project / WEIGHTS / name).write_bytes(content)
    recorded(project, "checkpoint")
    line = refused(*PLAIN)
    assert message in line
    assert KEY not in line


@pytest.mark.parametrize(
    ("secret", "kind"),
    [
        (KEY, "a key for a model vendor"),
        ("hf_" + "abcdefghijklmnopqrstuvwxyz01234567", "a Hugging Face token"),
        ("AKIA" + "IOSFODNN7EXAMPLE", "an AWS key id"),
        ("correct horse battery", "the value of $OUR_API_KEY"),
    ],
)
def test_keys_in_the_data_are_refused_and_not_shown(
    project: Path, monkeypatch: pytest.MonkeyPatch, secret: str, kind: str
) -> None:
    monkeypatch.setenv("OUR_API_KEY", "correct horse battery")
    rows = [response(*TASKS[0]), response("Say the key.", "", f"It is {secret}.")]
    write_rows(project / "data/responses.jsonl", rows)
    recorded(project, "responses")
    line = refused(*PLAIN)
    assert f"data/responses.jsonl:2: holds {kind}" in line
    assert secret not in line


def test_what_looks_like_a_key_and_is_none_may_be_published(project: Path) -> None:
    text = "A high-risk-stratification-of-patients task-0123456789abcdefghij-0123456789."
    write_rows(project / "data/responses.jsonl", [response("Say it.", "", text)])
    recorded(project, "responses", "checkpoint")
    published(*PLAIN)


def test_what_somebody_else_wrote_is_not_replaced(project: Path) -> None:
    (project / "published/model").mkdir(parents=True)
    (project / "published/model/mine.txt").write_text("mine")
    done = run(publish, *PLAIN, "--yes")
    assert done.exit_code == 2
    assert "published/model: exists, and is not from this command; move it away" in done.stderr
    assert [path.name for path in (project / "published").rglob("*")] == ["model", "mine.txt"]


def test_outside_of_a_project_there_is_one_line(workspace: Path) -> None:
    assert "there is no commit to name in the card" in refused(*PLAIN)


def test_the_page_shows_how_to_get_versions_by_tag(project: Path, tmp_path: Path) -> None:
    page = (REPOSITORY / "docs/publish.md").read_text()
    typed = [line[2:] for line in page.splitlines() if line.startswith("$ ") and "v1.0.0" in line]
    tag, push, *gets = map(shlex.split, typed)
    assert push[:2] == ["git", "push"]
    assert gets
    assert all(line[:4] == ["dvc", "get", ".", WEIGHTS] for line in gets)
    first = {p.name: p.read_bytes() for p in (project / WEIGHTS).glob("*.*")}
    ok(project, *tag)
    (project / WEIGHTS / "versions.json").write_text("{}")
    recorded(project, "checkpoint")
    for where in (project, tmp_path):
        for line in gets:
            ok(where, *(str(project) if word == "." else word for word in line))
            assert {p.name: p.read_bytes() for p in (where / line[-1]).glob("*.*")} == first
