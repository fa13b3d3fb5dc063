"""Rounds of questions: they end where they should, and never depend on what came when."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY
from tasks import THREE_TASKS, make_seeds

from alpacare.core.settings import load
from alpacare.filtering.filter import Filter, FilteredSettings
from alpacare.instructions.generation_loop import InstructionsSettings, Rounds
from alpacare.instructions.task_schema import RESPONSE_FORMAT
from alpacare.llm.reply import Answer, Completion
from alpacare.llm.request import Request

PROMPT = REPOSITORY / "prompts/instructions"


def say(request: Request, text: str) -> Answer:
    choice = {"message": {"content": text}, "finish_reason": "stop"}
    return Answer.of(request.key(), Completion.model_validate({"choices": [choice], "model": "m"}))


def reply(request: Request) -> Answer:
    return say(request, THREE_TASKS.replace("{seed}", request.key()[:9]))


def begin(count: int = 30, **settings: Any) -> Rounds:
    values = load("instructions", InstructionsSettings).model_dump()
    sieve = Filter(FilteredSettings(rouge_l=0.7, keep="first"))
    return Rounds(make_seeds(count), InstructionsSettings(**{**values, **settings}), PROMPT, sieve)


def play(rounds: Rounds, teacher: Callable[[Request], Answer] = reply) -> list[list[Request]]:
    played = []
    while requests := rounds.next():
        played.append(requests)
        rounds.take([teacher(request) for request in requests])
    return played


def keys(requests: Sequence[Request]) -> list[str]:
    return [request.key() for request in requests]


@pytest.fixture(autouse=True)
def _params(params: Path) -> None: ...


def test_without_a_target_all_requests_are_one_round() -> None:
    (requests,) = play(begin(requests=59, round_requests=5))
    assert len(requests) == len({request.key() for request in requests}) == 59


def test_rounds_go_on_until_enough_survive_and_not_longer() -> None:
    rounds = begin(target_kept=41, round_requests=8)
    sizes = [len(requests) for requests in play(rounds)]
    assert len(rounds.survivors()) == 42  # two a reply
    assert sizes == [7, 1, 8, 5]  # 41 tasks at 6 a reply; then 2 a reply, never over a border of 8
    assert len(rounds.tasks) == 63


def test_max_requests_ends_it() -> None:
    rounds = begin(target_kept=1000, max_requests=20, round_requests=8)
    assert sum(map(len, play(rounds))) == 20


def test_a_round_that_brings_nothing_is_the_last() -> None:
    rounds = begin(target_kept=10, max_requests=20, round_requests=8)
    sizes = [len(part) for part in play(rounds, lambda request: say(request, "Sorry."))]
    assert sizes == [2, 6], "two by what was asked for; then no yield is known but none"
    assert {row.reason for row in rounds.lost} == {"no_tasks"}
    assert rounds.stalled


def test_the_last_few_are_not_asked_for_one_by_one() -> None:
    def rarely(request: Request) -> Answer:
        return reply(request) if int(request.key(), 16) % 40 == 0 else say(request, "Sorry.")

    rounds = begin(target_kept=40, max_requests=5000, round_requests=500)
    sizes = [len(part) for part in play(rounds, rarely)]
    assert len(rounds.survivors()) >= 40
    assert min(sizes[1:]) >= 0.02 * 400
    assert len(sizes) < 25


def test_answers_that_are_not_there_yet_are_counted_as_under_way() -> None:
    rounds = begin(target_kept=41, round_requests=100)
    requests = rounds.next()
    rounds.take([*map(reply, requests[:3]), *[None] * (len(requests) - 3)])
    assert (len(requests), rounds.asked, rounds.answered, rounds.a_reply) == (7, 7, 3, 2)
    assert rounds.expected == 18 - 4  # 35 more at 2 a reply, of which 4 are under way


def test_a_whole_round_without_answers_is_no_round_that_brings_nothing() -> None:
    """A quote goes so far; the rest must be in it."""
    rounds = begin(target_kept=100, round_requests=8)
    rounds.take([None] * len(rounds.next()))
    assert (rounds.asked, rounds.stalled) == (8, False)
    assert rounds.expected == 17 - 8  # 100 at 6 a reply


@pytest.mark.parametrize("machine", [0, 2])
def test_a_higher_target_asks_the_same_questions_first(machine: int) -> None:
    few, many = (
        begin(target_kept=target, round_requests=8, seeds_per_request=4, machine_examples=machine)
        for target in (41, 83)
    )
    asked = [keys([request for part in play(rounds) for request in part]) for rounds in (few, many)]
    assert asked[1][: len(asked[0])] == asked[0]
    assert len(set(asked[1])) == len(asked[1]) == 42


def test_machine_examples_are_kept_tasks_of_earlier_rounds() -> None:
    rounds = begin(requests=24, round_requests=8, seeds_per_request=4, machine_examples=2)
    first = rounds.next()
    rounds.take([reply(request) for request in first])
    survivors = {task.instruction for task in rounds.survivors()}
    second = rounds.next()
    assert (len(first), len(second)) == (8, 8)
    for requests, machine in ((first, 0), (second, 2)):
        for request in requests:
            shown = [
                line.removeprefix("Instruction: ")
                for line in request.prompt().splitlines()
                if line.startswith("Instruction: ")
            ]
            assert len(shown) == 4
            assert sum(text in survivors for text in shown) == machine
    rounds.take([reply(request) for request in second])
    ids = {seed.id for seed in make_seeds(30)} | set(rounds.tasks)
    assert all(set(task.seeds) <= ids for task in rounds.tasks.values())


def test_a_hand_dealt_again_is_another_sample() -> None:
    (requests,) = play(begin(3, requests=4, seeds_per_request=3))
    hands = {request.label.split("examples ")[1] for request in requests}
    assert len({request.key() for request in requests}) == 4
    assert max(request.sample for request in requests) == 4 - len(hands)


def test_the_same_task_twice_is_lost_with_its_twin() -> None:
    rounds = begin(requests=2)
    first, second = rounds.next()
    rounds.take([reply(first)] * 2)
    assert len(rounds.tasks) == 3
    twins = [(row.reason, row.witness, row.id) for row in rounds.lost]
    assert twins == [
        ("same_task", id, f"{first.key()}/{index}") for index, id in enumerate(rounds.tasks)
    ]
    assert second.key() != first.key()


def test_no_room_for_a_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="leave no room for a seed"):
        begin(seeds_per_request=2, machine_examples=2)


def test_structured_output_is_asked_for_and_read() -> None:
    (request,) = begin(requests=1, format="json_schema").next()
    assert "<noinput>" not in request.body["messages"][1]["content"].split("### Example")[0]
    form = request.body["response_format"]
    assert (form["type"], form["json_schema"]["strict"]) == ("json_schema", True)
    item = form["json_schema"]["schema"]["properties"]["tasks"]["items"]
    assert set(item["required"]) == set(item["properties"])
    assert len(item["properties"]["type"]["enum"]) == 10
    (plain,) = begin(requests=1, format="text").next()
    assert "response_format" not in plain.body


def test_every_setting_reaches_the_request() -> None:
    settings = {
        "temperature": 0.3,
        "top_p": 0.9,
        "presence_penalty": 1.1,
        "max_tokens": 77,
        "retry_max_tokens": 99,
        "extra": {"seed": 7},
    }
    (request,) = begin(requests=1, model="m", tasks_per_request=12, **settings).next()
    sent = {name: value for name, value in request.body.items() if name != "messages"}
    assert sent == {
        "model": "m",
        "temperature": 0.3,
        "top_p": 0.9,
        "presence_penalty": 1.1,
        "max_tokens": 77,
        "seed": 7,
    }
    assert request.room == 99
    assert "Write 12 new medical tasks" in request.prompt()
    levels = RESPONSE_FORMAT["json_schema"]["schema"]["properties"]["tasks"]["items"]
    assert levels["properties"]["difficulty"]["enum"] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("name", ["temperature", "model", "messages", "sample"])
def test_extra_cannot_change_what_has_its_own_key(name: str) -> None:
    with pytest.raises(ValueError, match=rf"extra\.{name}"):
        begin(extra={name: 1})
