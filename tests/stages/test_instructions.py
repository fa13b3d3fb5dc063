"""`instructions` and `responses`: offline, in order, nothing dropped in silence."""

import json
from pathlib import Path

import pytest
from conftest import REPOSITORY, run

from alpacare import jsonl
from alpacare.records.task import Seed, row_id
from alpacare.settings import load
from alpacare.stages.instructions import (
    InstructionsSettings,
    deal,
    main,
    make_requests,
    read_answers,
)
from alpacare.stages.responses import main as responses
from alpacare.teacher.ledger import Ledger, default_path
from alpacare.teacher.pack import Entry, write_pack
from alpacare.teacher.reply import Answer, Completion

PROMPT = REPOSITORY / "prompts/instructions"
OUTS = ("out.jsonl", "--dropped", "d.jsonl", "--usage", "u.json")


def make_seeds(count: int) -> list[Seed]:
    return [
        Seed(
            id=row_id(f"Task {n}?", ""),
            instruction=f"Task {n}?",
            input="",
            type="chat",
            topic="Cardiology",
            view="patient",
            difficulty=1,
        )
        for n in range(count)
    ]


def answer(text: str, finish_reason: str = "stop") -> dict[str, object]:
    choice = {"message": {"content": text}, "finish_reason": finish_reason}
    return {"model": "m", "choices": [choice]}


@pytest.fixture
def settings(params: Path) -> InstructionsSettings:
    return load("instructions", InstructionsSettings)


def test_every_seed_is_shown_once_before_any_is_shown_twice(
    settings: InstructionsSettings,
) -> None:
    for size, count in ((3, 10), (3, 4), (4, 5), (1, 3), (3, 3)):
        settings = settings.model_copy(update={"requests": 60, "seeds_per_request": size})
        hands = deal(make_seeds(count), settings, Path("x"))
        dealt = [seed.id for hand in hands for seed in hand]
        assert len(hands) == 60
        assert all(len({seed.id for seed in hand}) == size for hand in hands)
        for turn in range(0, len(dealt) - count, count):
            assert len(set(dealt[turn : turn + count])) == count


def test_an_edited_seed_changes_only_its_own_hands(settings: InstructionsSettings) -> None:
    seeds = make_seeds(177)
    before = deal(seeds, settings, Path("x"))
    edited = [*seeds[:50], make_seeds(999)[-1], *seeds[51:]]
    after = deal(edited, settings, Path("x"))
    changed = [old for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 1
    assert seeds[50] in changed[0]


def test_more_requests_leave_the_first_ones_as_they_were(settings: InstructionsSettings) -> None:
    more = settings.model_copy(update={"requests": 2 * settings.requests})
    seeds = make_seeds(177)
    assert deal(seeds, more, Path("x"))[: settings.requests] == deal(seeds, settings, Path("x"))


def test_a_hand_dealt_again_is_another_sample(settings: InstructionsSettings, params: Path) -> None:
    hands = [make_seeds(3)] * 3 + [make_seeds(4)[1:]]
    requests = make_requests(hands, settings, PROMPT)
    assert [request.sample for request in requests] == [0, 1, 2, 0]
    assert len({request.key() for request in requests}) == 4


def test_the_same_task_twice_is_dropped_with_its_twin() -> None:
    task = "### 1.\nType: chat\nTopic: t\nView: v\nDifficulty: 1\nInstruction: Explain.\nInput:"
    kept, lost = read_answers(
        [Answer.of("k" * 64, Completion.model_validate(answer(task)))] * 2, [make_seeds(1)] * 2
    )
    assert len(kept) == 1
    assert [(row.reason, row.witness) for row in lost] == [("same_task", kept[0].id)]


def test_offline_lists_what_is_missing_and_touches_nothing(params: Path) -> None:
    jsonl.write(Path("seeds.jsonl"), make_seeds(9))
    Path("out.jsonl").write_text("earlier output")
    result = run(main, "seeds.jsonl", *OUTS, "--prompt", PROMPT)
    assert result.exit_code == 2
    assert "59 of 59 answers are not in the ledger" in result.output
    assert "no price known for model 'demo-teacher'" in result.output
    assert "missing: request 1, seeds " in result.output
    assert "missing: and 49 more" in result.output
    assert Path("out.jsonl").read_text() == "earlier output"


def test_a_damaged_pack_is_named(params: Path, settings: InstructionsSettings) -> None:
    seeds = make_seeds(9)
    jsonl.write(Path("seeds.jsonl"), seeds)
    (request,) = make_requests([seeds[:3]], settings, PROMPT)
    entry = Entry(
        key=request.key(),
        request=request.content(),
        response=answer("x"),
        received="2026-01-01T00:00:00Z",
        price=None,
    )
    write_pack(Path("pack.jsonl"), [entry])
    Path("pack.jsonl").write_text(Path("pack.jsonl").read_text().replace("chat/", "chit/"))
    result = run(main, "seeds.jsonl", *OUTS, "--prompt", PROMPT, "--pack", "pack.jsonl")
    assert result.exit_code == 2
    assert "pack.jsonl:1: the key is not the hash of the request" in result.output
    with Ledger(default_path()) as ledger:
        assert ledger.get(entry.key) is None


def test_an_empty_answer_goes_to_the_side_file(params: Path, settings: object) -> None:
    from alpacare.records.task import Instruction
    from alpacare.stages.responses import ResponsesSettings
    from alpacare.stages.responses import make_requests as ask

    tasks = [
        Instruction(**seed.model_dump(), request="r", index=0, seeds=[]) for seed in make_seeds(2)
    ]
    jsonl.write(Path("in.jsonl"), tasks)
    prompt = REPOSITORY / "prompts/responses"
    with Ledger(default_path()) as ledger:
        requests = ask(tasks, load("responses", ResponsesSettings), prompt)
        for request, text in zip(requests, ["  \n", "An answer."], strict=True):
            ledger.put(
                Entry(
                    key=request.key(),
                    request=request.content(),
                    response=answer(text, "length"),
                    received="2026-01-01T00:00:00Z",
                    price=0.01,
                )
            )
    result = run(responses, "in.jsonl", *OUTS, "--prompt", prompt)
    assert result.exit_code == 0, result.output
    assert "1 responses (1 cut off), 1 empty" in result.output
    (kept,) = map(json.loads, Path("out.jsonl").read_text().splitlines())
    (lost,) = map(json.loads, Path("d.jsonl").read_text().splitlines())
    assert (kept["id"], kept["output"]) == (tasks[1].id, "An answer.")
    assert (lost["id"], lost["reason"]) == (tasks[0].id, "empty")
