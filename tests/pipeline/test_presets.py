"""Presets: what they state is so, and `alpacare preset` changes values and nothing else."""

import json
import re
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from conftest import REPOSITORY, run
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import dump_yaml, load_yaml
from generated_ledgers import link_what_git_holds

from alpacare.cli.main import main
from alpacare.core.settings import read_yaml
from alpacare.pipeline.params import read_params
from alpacare.pipeline.presets import apply_preset, set_values
from alpacare.pipeline.quoting.quote import quote_all
from alpacare.pipeline.quoting.quote_text import round_up, total
from alpacare.pipeline.sources import repro_targets
from alpacare.pipeline.students import read_students
from alpacare.training.settings import CheckpointSettings

NAMES = sorted(path.stem for path in (REPOSITORY / "presets").glob("*.yaml"))
PUBLISHED = [name for name in NAMES if name != "demo"]


@pytest.fixture
def project(params: Path) -> Path:
    """The checked-in params.yaml, students and prompts, with the presets beside them."""
    (params.parent / "presets").symlink_to(REPOSITORY / "presets")
    for folder in ("students", "prompts"):
        copytree(REPOSITORY / folder, params.parent / folder)
    return params


@pytest.fixture
def own(params: Path) -> Path:
    """A preset that a test writes itself; params.yaml stands two folders up."""
    folder = params.parent / "presets"
    folder.mkdir()
    copytree(REPOSITORY / "students", params.parent / "students")
    (folder / "demo.yaml").write_text((REPOSITORY / "presets/demo.yaml").read_text())
    return folder / "own.yaml"


def text_of(name: str) -> str:
    return (REPOSITORY / f"presets/{name}.yaml").read_text()


def fail(*words: str) -> str:
    """Run `alpacare preset`, which must say one line and leave params.yaml alone."""
    before = Path("params.yaml").read_bytes()
    result = run(main, "preset", *words)
    assert result.exit_code == 2
    assert len(result.output.strip().splitlines()) == 1
    assert Path("params.yaml").read_bytes() == before
    return result.output


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_preset_holds_the_published_settings(project: Path, name: str) -> None:
    apply_preset(name)
    params = read_params()
    assert (REPOSITORY / f"configs/accelerate/{params.training.hardware}.yaml").exists()
    assert params.generations.temperature == 0
    for student, settings in read_students(params).items():
        assert re.fullmatch("[0-9a-f]{40}", settings.revision or "")
        assert settings.rows.choose == "all"
        check_published(student, settings)
    text = text_of(name)
    commands = re.findall(r"^#   ((?:make|vllm|BUDGET=0) [^ ].*?)(?:  .*)?$", text, re.MULTILINE)
    assert commands[0] == f"make preset NAME={name}"
    assert "make train" in commands


def check_published(student: str, settings: CheckpointSettings) -> None:
    chosen = settings.optimizer
    assert (chosen.schedule, chosen.warmup_ratio, chosen.weight_decay) == ("cosine", 0.03, 0.0)
    assert (chosen.batch_size, settings.max_seq_length, chosen.max_steps) == (128, 1024, None)
    if student != "bioinstruct":  # whose paper's figures are not known
        rate, epochs = (1e-5, 5) if "13b" in student else (2e-5, 3)
        assert (chosen.learning_rate, chosen.epochs) == (rate, epochs)


def test_the_four_models_are_those_of_the_single_presets(project: Path) -> None:
    apply_preset("alpacare")
    four = read_params().students
    single = []
    for name in four:
        apply_preset(name)
        single += read_params().students
    assert single == four


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_bases_of_its_students_compete(project: Path, name: str) -> None:
    apply_preset(name)
    params = read_params()
    local = [
        read_yaml(project.parent / f"prompts/local_models/{model}/settings.yaml")
        for model in params.models.local
    ]
    students = read_students(params).values()
    assert {(each["model"], each["revision"]) for each in local} == {
        (each.base, each.revision) for each in students
    }
    assert params.judgments.contestants == params.models.local


def test_demo_is_what_is_checked_in(project: Path) -> None:
    before = project.read_bytes()
    result = run(main, "preset", "demo")
    assert (result.exit_code, project.read_bytes()) == (0, before)
    assert "nothing to change" in result.output


def test_every_key_of_demo_stands_in_another_preset(project: Path) -> None:
    changed = {line.split(":")[0] for name in PUBLISHED for line in apply_preset(name)}
    # an import of one's own data sets these, or a user
    own = {"sources.seeds", "sources.instructions", "tests", "models.written", "models.api"}
    assert changed | own == leaves(read_yaml(REPOSITORY / "presets/demo.yaml"))


def leaves(values: dict[str, Any], above: str = "") -> set[str]:
    found: set[str] = set()
    for key, value in values.items():
        name = above + key
        found |= leaves(value, f"{name}.") if isinstance(value, dict) else {name}
    return found


def test_the_way_to_a_preset_does_not_matter(project: Path) -> None:
    checked_in = project.read_bytes()
    straight = {}
    for name in PUBLISHED:
        project.write_bytes(checked_in)
        apply_preset(name)
        straight[name] = project.read_bytes()
    for name in [*PUBLISHED[::2], *PUBLISHED[1::2]]:
        apply_preset(name)
        assert project.read_bytes() == straight[name]
    apply_preset("demo")
    assert project.read_bytes() == checked_in
    assert len({*straight.values(), checked_in}) == len(NAMES)


def test_values_change_and_nothing_else(project: Path) -> None:
    before = project.read_text().splitlines()
    result = run(main, "preset", "bioinstruct")
    after = project.read_text().splitlines()
    assert [line.partition("#")[2] for line in after] == [line.partition("#")[2] for line in before]
    moved = [new for old, new in zip(before, after, strict=True) if old != new]
    told = result.output.splitlines()
    assert len(moved) == len(told) == 20
    assert 'students: ["all-rows", "half-rows"] -> ["bioinstruct"]' in told
    assert "  temperature: 0.0                # 0: always" in "\n".join(moved)
    assert "students: [bioinstruct]           # students/NAME.yaml" in "\n".join(moved)


def test_presets_apply_whoever_wrote_params(project: Path) -> None:
    """As `dvc exp apply` leaves it (lists a line an item, null as nothing), and as Windows does."""
    ours, wanted, comments = project.read_text(), {}, re.compile("#.*")
    for name in NAMES:
        apply_preset(name)
        wanted[name] = read_params()
    project.write_text(ours)
    apply_overrides(project, ["scores.seed=0"])  # what `dvc exp run -S` calls
    applied = project.read_text()
    dump_yaml(project, load_yaml(project))
    bare = project.read_text()
    assert "\n  judges:\n  - " in bare
    assert "\n  lora:\n" in bare
    some = ["one-gpu", "demo"]
    for names, text in (
        (NAMES, applied), (NAMES, bare), (some, bare[:-1]), (some, ours.replace("\n", "\r\n")),
    ):  # fmt: skip
        project.write_bytes(text.encode())
        for name in names:
            apply_preset(name)
            assert read_params() == wanted[name]
        after = project.read_bytes().decode()
        assert comments.findall(after) == comments.findall(text)
        assert after.count("\r\n") in (0, after.count("\n"))


def test_a_value_that_stands_elsewhere_is_named(project: Path) -> None:
    text = project.read_text().replace("  report_to: []", "  report_to: [*cpu] #")
    project.write_text(text.replace("  hardware: cpu  ", "  hardware: &cpu cpu #"))
    assert "write each of these as one line `key: value`: " in fail("one-gpu")


def test_other_edits_of_the_user_stay(project: Path) -> None:
    text = project.read_text().replace("rouge_l: 0.7  ", "rouge_l: 0.65 ")
    text = text.replace("local_judges: [] ", "local_judges:\n  - 'loglik' # my own\n#")
    text = text.replace("blocked_words: []", f"blocked_words: [{', '.join(['radiograph'] * 30)}]")
    text = text.replace("max_new_tokens: 128 ", "max_new_tokens: 99  ")
    project.write_text(text)
    assert "generations.max_new_tokens: 99 -> 768" in apply_preset("alpacare-7b")
    apply_preset("demo")
    assert project.read_text() == text.replace("max_new_tokens: 99  ", "max_new_tokens: 128 ")


def test_a_base_of_ones_own(project: Path) -> None:
    """It goes into the student's file, and into the local model that was the same base."""
    Path("llama: 7b@home").mkdir()
    apply_preset("alpacare-7b", "llama: 7b@home")
    assert used_base("alpacare-7b", "llama-7b") == ("llama: 7b@home", None)
    commit = "1234567890" * 4  # YAML would take it for a number
    apply_preset("medinstruct-52k", f"org/model@{commit}")
    assert used_base("alpacare-7b", "llama-7b") == ("org/model", commit)
    assert Path("students/alpacare-7b.yaml").read_text().splitlines()[0].startswith("# AlpaCare 7B")
    apply_preset("alpacare-7b")
    assert used_base("alpacare-7b", "llama-7b") == ("org/model", commit), "it stays"


def used_base(student: str, model: str) -> tuple[str, str | None]:
    settings = read_students(read_params(), [student])[student]
    local = read_yaml(Path(f"prompts/local_models/{model}/settings.yaml"))
    assert (local["model"], local["revision"]) == (settings.base, settings.revision)
    return settings.base, settings.revision


@pytest.mark.parametrize(("name", "count"), [("alpacare", 4), ("demo", 2)])
def test_one_base_for_several_students_is_refused(project: Path, name: str, count: int) -> None:
    assert f"preset '{name}' has {count} students; set the base of each" in fail(
        name, "--base", "."
    )


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ("org/model", "no local folder, so it is a Hub model, and needs 'revision', the 40 hex"),
        ("org/model@main", "no local folder, so it is a Hub model, and needs 'revision', the 40"),
        ("/no/such/folder", "folder not found: /no/such/folder"),
        ("./none", "folder not found: ./none"),
        ("a/b/c", "folder not found: a/b/c"),
    ],
)
def test_a_base_that_names_no_weights_is_refused(project: Path, base: str, message: str) -> None:
    assert message in fail("one-gpu", "--base", base)


def test_going_back_to_demo_takes_imported_data_out(project: Path) -> None:
    before = project.read_text()
    project.write_text(before.replace("instructions: instructions", "instructions: imported/ours"))
    assert apply_preset("demo") == ['sources.instructions: "imported/ours" -> "instructions"']
    assert project.read_text() == before


def test_the_list_tells_what_each_is_and_takes(project: Path) -> None:
    told = run(main, "presets").output
    assert max(map(len, told.splitlines())) <= 80
    shown = told.replace("\n  ", " ")
    for name in NAMES:
        assert f"{name} {text_of(name).splitlines()[0].removeprefix('# ')}" in shown
    assert shown.count("answers to buy before training: at most $") == len(PUBLISHED)
    assert "answers to buy for its whole evaluation (19,456 verdicts) at most $32.81" in shown
    assert "training: 8 x H100-80GB: 27.0 GB a GPU, 364.4 GB of disk, 0.6 hours" in shown


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_preset_states_what_it_would_cost(project: Path, name: str) -> None:
    """Its evaluation too, with the test sets and references that its first lines name."""
    link_what_git_holds("dvc.yaml", "prices.yaml", "configs", "data")
    apply_preset(name)
    if name == "medinstruct-52k":
        without_cells = {"verified", "verified_counts"}
        first = next(each for each in repro_targets(read_params()) if each not in without_cells)
        assert first == "statistics", "no stage before training"
    named = re.findall(r"^#   ([a-z.]+): \[(.*)\]$", text_of(name), re.MULTILINE)
    set_values({key: values.split(", ") for key, values in named}, name)
    quotes = quote_all()
    before, judged = (
        [quote for quote in quotes if (quote.stage == "judgments") == judging]
        for judging in (False, True)
    )
    what = (
        f"{sum(quote.misses for quote in judged):,} verdicts" if judged else "judges that are rules"
    )
    assert (
        f"#   before training at most ${round_up(total(before, 'most')):.2f}, "
        f"evaluation ({what}) at most ${round_up(total(judged, 'most')):.2f}\n"
    ) in text_of(name)
    assert not any(quote.trouble for quote in quotes)


def test_an_unknown_preset_is_told_the_known_ones(project: Path) -> None:
    assert f"NAME is not given; name a preset: {', '.join(NAMES)}" in fail("")
    for name in ("alpaca", "../params"):
        assert f"no preset '{name}' in presets/; there are: {', '.join(NAMES)}" in fail(name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("checkpoint:\n  row_lenght: 8", "own.yaml: 'checkpoint.row_lenght' is not in presets/d"),
        ("checkpoint: null", "own.yaml: 'checkpoint' is not in presets/demo"),
        (
            "checkpoint:\n  row_length: 8",
            "row_length: this key has a new name: max_seq_length",
        ),
        ("curves:\n  window: 8", "own.yaml: curves: this key has a new name: training_curves"),
        ("students: [all-row]", "head_to_head: 'half-rows' is not in students: all-row"),
        ("students: [half-rows, x]", "students: no file students/x.yaml; there are: all-rows, "),
        (
            "checkpoint:\n  micro_batch_size: '8'",
            "own over params.yaml: checkpoint.micro_batch_size: input",
        ),
        ("checkpoint: [", "own.yaml: not valid YAML"),
    ],
)
def test_a_wrong_preset_changes_nothing(own: Path, text: str, message: str) -> None:
    own.write_text(text)
    assert message in fail("own")


def test_a_key_that_params_has_lost_comes_back(project: Path) -> None:
    project.write_text(project.read_text().replace("  save_steps: 500", "  # save_steps: 500"))
    assert "training.save_steps: null -> 200" in apply_preset("one-gpu")
    assert "\n  save_steps: 200\n" in project.read_text()
    project.unlink()
    assert "no such file; run this from" in run(main, "preset", "one-gpu").output


def test_a_block_in_a_preset_is_a_value_like_another(own: Path, params: Path) -> None:
    before = params.read_text()
    demo = own.parent / "demo.yaml"
    demo.write_text("checkpoint:\n  lora: null\n")
    lora = {"rank": 1, "alpha": 2, "dropout": 0.0, "targets": ["q_proj"], "quantize": None}
    lines = "".join(f"    {key}: {json.dumps(value)}  # why\n" for key, value in lora.items())
    own.write_text(f"checkpoint:\n  lora:\n{lines}")
    apply_preset("own")
    chosen = read_params().checkpoint.lora
    assert chosen is not None
    assert chosen.model_dump() == lora
    apply_preset("demo")
    assert params.read_text() == before
