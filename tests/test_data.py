"""What the repository's own data must be."""

from pathlib import Path

import pytest
from conftest import REPOSITORY

from alpacare.core.settings import load
from alpacare.datasets.seed_files import read_seeds
from alpacare.filtering.filter import Filter
from alpacare.filtering.rouge import encode, scores
from alpacare.filtering.settings import FilteredSettings
from alpacare.instructions.generation_loop import GenerationLoop
from alpacare.instructions.settings import InstructionsSettings
from alpacare.llm.cache_pack import read_pack
from alpacare.records.task import Seed
from alpacare.records.test_set import read_test_set

SEEDS = REPOSITORY / "data/seeds/medical.jsonl"
TESTS = read_test_set(REPOSITORY / "data/tests/demo.jsonl")
RECORDINGS = REPOSITORY / "data/recordings"


def seeds() -> list[Seed]:
    return read_seeds(SEEDS)


def words(text: str) -> int:
    return len(text.split())


@pytest.fixture
def recorded(params: Path) -> GenerationLoop:
    """The recorded replies, read."""
    task_filter = Filter(load("filtered", FilteredSettings))
    settings = load("instructions", InstructionsSettings)
    loop = GenerationLoop(seeds(), settings, REPOSITORY / "prompts/instructions", task_filter)
    entries = list(read_pack(RECORDINGS / "instructions.jsonl"))
    assert [request.key() for request in loop.next_requests()] == [entry.key for entry in entries]
    loop.add_answers([entry.answer() for entry in entries])
    return loop


def test_seeds_cover_the_field() -> None:
    rows = seeds()
    lengths = [words(row.input) for row in rows if row.input]
    assert len(rows) >= 170
    assert len({row.type for row in rows}) == 10
    assert len({row.topic for row in rows}) >= 40
    assert len({row.view for row in rows}) >= 30
    assert 0.3 < 1 - len(lengths) / len(rows) < 0.37
    assert min(lengths) >= 50
    assert max(lengths) <= 200
    assert all(sum(row.difficulty == level for row in rows) >= 30 for level in range(1, 6))


def test_test_tasks_have_two_answers_and_are_no_seeds() -> None:
    assert len(TESTS) >= 60
    assert all(set(test.answers) == {"thorough", "terse"} for test in TESTS)
    assert all(sum(test.difficulty == level for test in TESTS) >= 10 for level in range(1, 6))
    encoded = encode([task.instruction for task in [*TESTS, *seeds()]])
    assert scores(encoded[: len(TESTS)], encoded[len(TESTS) :]).max() <= 0.7


def test_recorded_replies_are_many_and_have_real_faults(recorded: GenerationLoop) -> None:
    assert len(recorded.tasks) >= 300
    reasons = {row.reason for row in recorded.dropped}
    assert {"missing_field", "bad_type", "bad_difficulty", "cut_off", "same_task"} <= reasons


def test_every_instruction_has_a_recorded_answer(recorded: GenerationLoop) -> None:
    answers = [entry.answer().text for entry in read_pack(RECORDINGS / "responses.jsonl")]
    assert len(answers) == len(recorded.tasks)
    assert all(40 <= words(answer) <= 150 for answer in answers)


def test_no_formatting_leaked_into_the_texts() -> None:
    texts = [field for task in [*TESTS, *seeds()] for field in (task.instruction, task.input)]
    texts += [answer for test in TESTS for answer in test.answers.values()]
    texts += [entry.answer().text for entry in read_pack(RECORDINGS / "responses.jsonl")]
    for text in texts:
        assert "<noinput>" not in text
        assert "###" not in text
        assert "**" not in text
        assert text == text.strip()
