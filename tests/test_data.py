"""What the repository's own data must be."""

from pathlib import Path

import pytest
from conftest import REPOSITORY

from alpacare.core.settings import load
from alpacare.datasets.seed_files import normalise, read_source
from alpacare.filtering.filter import Filter, FilteredSettings
from alpacare.filtering.rouge import encode, scores
from alpacare.instructions.generation_loop import InstructionsSettings, Rounds
from alpacare.llm.cache_pack import read_pack
from alpacare.records.task import Seed
from alpacare.records.test_set import read_tests

SEEDS = REPOSITORY / "data/seeds/medical.jsonl"
TESTS = read_tests(REPOSITORY / "data/tests/demo.jsonl")
RECORDINGS = REPOSITORY / "data/recordings"


def seeds() -> list[Seed]:
    return normalise(read_source(SEEDS), SEEDS)


def words(text: str) -> int:
    return len(text.split())


@pytest.fixture
def recorded(params: Path) -> Rounds:
    """The recorded replies, read."""
    sieve = Filter(load("filtered", FilteredSettings))
    settings = load("instructions", InstructionsSettings)
    rounds = Rounds(seeds(), settings, REPOSITORY / "prompts/instructions", sieve)
    entries = list(read_pack(RECORDINGS / "instructions.jsonl"))
    assert [request.key() for request in rounds.next()] == [entry.key for entry in entries]
    rounds.take([entry.answer() for entry in entries])
    return rounds


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


def test_recorded_replies_are_many_and_have_real_faults(recorded: Rounds) -> None:
    assert len(recorded.tasks) >= 300
    reasons = {row.reason for row in recorded.lost}
    assert {"missing_field", "bad_type", "bad_difficulty", "cut_off", "same_task"} <= reasons


def test_every_instruction_has_a_recorded_answer(recorded: Rounds) -> None:
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
