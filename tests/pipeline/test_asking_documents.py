"""The commands of those pages of docs/ that ask a server, which is one on loopback here."""

import pytest
from clones import Clone, clone_for_pages
from loopback import running
from tasks import THREE_TASKS

pytestmark = pytest.mark.slow

TASK = """### Task 1
Type: chat
Topic: Cardiology
View: patient
Difficulty: 1
Instruction: Answer question {seed} in a friendly tone.
Input: <noinput>"""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return clone_for_pages(tmp_path_factory, "asking")


def test_the_commands_of_the_teacher_page_work(clone: Clone) -> None:
    """Against a server on loopback, which says what was asked of it and by which way."""
    with running(text=TASK, key="sk-page") as server:
        clone.environment |= {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "sk-page"}
        clone.run_page("ask-a-teacher")
        state = server.state()
    assert set(state["served"].values()) == {1}
    assert len(state["served"]) == 5 + 5, "what all five tasks share is no sign of likeness"
    assert state["calls"] + state["batch_items"] == 5 + 5


def test_the_commands_of_the_writing_page_work(clone: Clone) -> None:
    """Every reply brings two tasks that survive, so a target of 20 takes ten, of 30 five more."""
    with running(text=THREE_TASKS, finish_reason="stop", key="sk-page") as server:
        clone.environment |= {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "sk-page"}
        clone.run_page("write-instructions")
        state = server.state()
    assert set(state["served"].values()) == {1}
    assert len(state["served"]) == 15


def test_the_commands_of_the_judging_page_work(clone: Clone) -> None:
    """Against a server on loopback that finds every pair alike."""
    with running(text="It's a tie.", finish_reason="stop", key="sk-page") as server:
        clone.environment |= {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "sk-page"}
        clone.run_page("judge")
        state = server.state()
    assert set(state["served"].values()) == {1}
    assert 600 <= state["calls"] <= 840, "answers that are alike are asked about once"
