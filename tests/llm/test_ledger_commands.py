"""`alpacare quote` and `alpacare ledger ...`, as a user types them in the project's folder."""

import json
import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from click.testing import Result
from conftest import REPOSITORY, run
from loopback import running
from tasks import THREE_TASKS

from alpacare.cli.main import main
from alpacare.llm.ledger import Ledger, default_path
from alpacare.stages.instructions import main as instructions


@pytest.fixture
def project(params: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the commands read, with a real model behind $OPENAI_BASE_URL in place of recordings."""
    shutil.copy(REPOSITORY / "dvc.yaml", params.parent)
    (params.parent / "prompts").symlink_to(REPOSITORY / "prompts")
    shutil.copytree(REPOSITORY / "data/seeds", params.parent / "data/seeds")
    shutil.copytree(REPOSITORY / "data/recordings", params.parent / "data/recordings")
    shutil.copytree(REPOSITORY / "data/tests", params.parent / "data/tests")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    monkeypatch.setenv("BUDGET", "1")
    return params


def use_a_real_model(params: Path, requests: int) -> None:
    text = params.read_text()
    text = re.sub(r"(?m)^  endpoint: recordings", "  endpoint: openai", text)
    text = re.sub(r"(?m)^  model: demo-teacher", "  model: gpt-4o-mini", text)
    params.write_text(re.sub(r"requests: 59", f"requests: {requests}", text))


def alpacare(*words: str) -> str:
    result = run(main, *words)
    assert result.exit_code == 0, result.output
    return result.output


def receive(params: Path, monkeypatch: pytest.MonkeyPatch, requests: int = 3) -> None:
    """Receive the replies of stage `instructions` on loopback."""
    use_a_real_model(params, requests)
    shutil.copy("data/seeds/medical.jsonl", "seeds.jsonl")
    alpacare_seeds()
    with running(words=50) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        result = write_instructions()
    assert result.exit_code == 0, result.output


def write_instructions() -> Result:
    return run(
        instructions, "data/seeds.jsonl", "out.jsonl", "--dropped", "d.jsonl",
        "--usage", "u.json", "--prompt", "prompts/instructions",
    )  # fmt: skip


def alpacare_seeds() -> None:
    from alpacare.stages.seeds import main as seeds

    metrics = ("--metrics", "metrics/seeds.json", "--table", "metrics/seeds.csv")
    assert run(seeds, "seeds.jsonl", "data/seeds.jsonl", *metrics).exit_code == 0


def test_the_embedded_default_costs_nothing(project: Path) -> None:
    assert "the pipeline costs nothing" in alpacare("quote")


def test_a_quote_counts_prices_and_estimates_and_sends_nothing(project: Path) -> None:
    use_a_real_model(project, 59)
    text = alpacare("quote")
    assert re.search(r"instructions +0 +59 +<[\d,]+ +<236,000 +- +\$0\.\d\d", text)
    assert re.search(r"responses +0 +<354 ", text)
    assert "354 of those to ask depend on answers that are still to come" in text
    assert re.search(r"BUDGET=0\.\d\d make repro", text)


def test_a_quote_knows_what_is_received(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    receive(project, monkeypatch)
    usage = json.loads(Path("u.json").read_text())
    use_a_real_model(project, 3)
    project.write_text(project.read_text().replace("requests: 3", "requests: 5"))
    text = alpacare("quote")
    assert re.search(r"instructions +3 +2 ", text)
    assert f"has paid ${usage['dollars']:.4f}" in text


def test_a_quote_with_a_target_follows_the_rounds(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_a_real_model(project, 59)
    for old, new in (
        ("target_kept: null", "target_kept: 9"),
        ("round_requests: 500", "round_requests: 2"),
    ):
        project.write_text(project.read_text().replace(old, new))
    said = "instructions: asked until 9 are kept: 10,000 requests at most (max_requests: 10,000)"
    assert said in " ".join(alpacare("quote").split())
    shutil.copy("data/seeds/medical.jsonl", "seeds.jsonl")
    alpacare_seeds()
    with running(text=THREE_TASKS, finish_reason="stop") as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        assert write_instructions().exit_code == 0
        assert server.state()["calls"] == 5
    quote = alpacare("quote")
    assert re.search(r"instructions +5 +0 ", quote), quote
    assert re.search(r"responses +0 +10 ", quote), "those that survive, and no others"
    project.write_text(project.read_text().replace("target_kept: 9", "target_kept: 15"))
    assert re.search(r"instructions +5 +<9,995 ", alpacare("quote")), "too little is known"


def test_a_quote_asks_for_an_unknown_price(project: Path) -> None:
    use_a_real_model(project, 59)
    project.write_text(project.read_text().replace("model: gpt-4o-mini", "model: ours"))
    assert "no price known for model 'ours': write it into prices.yaml" in " ".join(
        alpacare("quote").split()
    )
    Path("prices.yaml").write_text("ours: {input: 0, output: 0}\n")
    assert "BUDGET=0.00 make repro" in alpacare("quote")


def test_a_pack_carries_answers_to_another_ledger(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive(project, monkeypatch)
    assert "3 answers written" in alpacare("ledger", "export", "pack.jsonl")
    assert "3 answers written" in alpacare(
        "ledger", "export", "--stage", "instructions", "one.jsonl"
    )
    assert "0 answers written" in alpacare("ledger", "export", "--stage", "responses", "two.jsonl")
    before = Path("pack.jsonl").read_bytes()
    shutil.rmtree(".ledger")
    assert "3 answers imported" in alpacare("ledger", "import", "pack.jsonl")
    assert "0 answers imported, 3 were there" in alpacare("ledger", "import", "pack.jsonl")
    alpacare("ledger", "export", "again.jsonl")
    assert Path("again.jsonl").read_bytes() == before


def test_unused_answers_move_to_a_pack_and_can_be_imported(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive(project, monkeypatch)
    project.write_text(project.read_text().replace("requests: 3", "requests: 2"))
    assert "1 answer would move" in alpacare("ledger", "gc", "old.jsonl")
    assert not Path("old.jsonl").exists()
    assert "1 answer moved" in alpacare("ledger", "gc", "old.jsonl", "--yes")
    assert "2 answers, all as they were received" in alpacare("ledger", "verify")
    assert run(main, "ledger", "gc", "old.jsonl", "--yes").exit_code == 2, "old.jsonl is not lost"
    alpacare("ledger", "import", "old.jsonl")
    assert "3 answers, all" in alpacare("ledger", "verify")


def test_statistics_count_tokens_and_dollars(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive(project, monkeypatch)
    usage = json.loads(Path("u.json").read_text())
    text = alpacare("ledger", "stats")
    assert f"paid ${usage['dollars']:.4f} from here" in text
    assert f"{usage['tokens_in']:,}" in text
    assert "gpt-4o-mini" in text


def test_damage_is_named_and_a_pack_replaces_it(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive(project, monkeypatch)
    alpacare("ledger", "export", "pack.jsonl")
    with Ledger(default_path()) as ledger:
        keys = [entry.key for entry in ledger.entries()]
    base = sqlite3.connect(default_path())
    base.execute(
        "UPDATE entries SET response = replace(response, 'stop', 'stip') WHERE key = ?", keys[:1]
    )
    base.execute(
        "UPDATE entries SET request = replace(request, 'chat', 'chit') WHERE key = ?", keys[1:2]
    )
    base.commit()
    base.close()
    result = run(main, "ledger", "verify")
    assert result.exit_code == 2
    assert "2 of 3 answers are damaged" in result.output
    assert f"{keys[0][:12]} (its answer was changed)" in result.output
    assert f"{keys[1][:12]} (its request was changed)" in result.output
    assert "2 damaged ones replaced" in alpacare("ledger", "import", "pack.jsonl")
    assert "3 answers, all" in alpacare("ledger", "verify")


@pytest.mark.parametrize("words", [("stats",), ("verify",), ("export", "p"), ("forget", "b")])
def test_without_a_ledger_there_is_one_line(project: Path, words: tuple[str, ...]) -> None:
    result = run(main, "ledger", *words)
    assert result.exit_code == 2
    assert result.output.strip() == (
        "error: .ledger/ledger.sqlite: no ledger yet; the first paid or imported answer makes one"
    )


def test_unknown_stages_and_batches_are_named(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive(project, monkeypatch, requests=1)
    result = run(main, "ledger", "export", "--stage", "response", "p.jsonl")
    assert (result.exit_code, "no paid stage 'response'" in result.output) == (2, True)
    result = run(main, "ledger", "forget", "batch_1")
    assert (result.exit_code, "no batch 'batch_1' is under way" in result.output) == (2, True)
