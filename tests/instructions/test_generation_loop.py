"""The generation loop: it ends where it should and never depends on the order of answers."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import REPOSITORY
from tasks import THREE_TASKS, make_seeds

from alpacare.core.settings import load
from alpacare.filtering.filter import Filter
from alpacare.filtering.settings import FilteredSettings
from alpacare.instructions.generation_loop import GenerationLoop
from alpacare.instructions.settings import InstructionsSettings
from alpacare.instructions.task_schema import RESPONSE_FORMAT
from alpacare.llm.reply import Answer, Completion
from alpacare.llm.request import Request

PROMPT = REPOSITORY / "prompts/instructions"


def answer(request: Request, text: str, refusal: str | None = None) -> Answer:
    choice = {"message": {"content": text, "refusal": refusal}, "finish_reason": "stop"}
    return Answer.from_completion(
        request.key(), Completion.model_validate({"choices": [choice], "model": "m"})
    )


def reply(request: Request) -> Answer:
    return answer(request, THREE_TASKS.replace("{seed}", request.key()[:9]))


def begin(count: int = 30, **settings: Any) -> GenerationLoop:
    values = load("instructions", InstructionsSettings).model_dump()
    task_filter = Filter(FilteredSettings(rouge_l=0.7, keep="first"))
    return GenerationLoop(
        make_seeds(count), InstructionsSettings(**{**values, **settings}), PROMPT, task_filter
    )


def play(loop: GenerationLoop, respond: Callable[[Request], Answer] = reply) -> list[list[Request]]:
    rounds = []
    while requests := loop.next_requests():
        rounds.append(requests)
        loop.add_answers([respond(request) for request in requests])
    return rounds


def keys(requests: Sequence[Request]) -> list[str]:
    return [request.key() for request in requests]


@pytest.fixture(autouse=True)
def _params(params: Path) -> None: ...


def test_without_a_target_all_requests_are_one_round() -> None:
    (requests,) = play(begin(requests=59, round_requests=5))
    assert len(requests) == len({request.key() for request in requests}) == 59


def test_rounds_go_on_until_enough_are_kept_and_not_longer() -> None:
    loop = begin(target_kept=41, round_requests=8)
    sizes = [len(requests) for requests in play(loop)]
    assert len(loop.kept_tasks()) == 42  # two a reply
    assert sizes == [
        7,
        1,
        8,
        5,
    ]  # 41 tasks at 6 a reply; then 2 a reply, never over the end of a round of 8
    assert len(loop.tasks) == 63


def test_a_task_that_differs_by_how_a_letter_is_written_only_is_the_same() -> None:
    loop = begin(requests=1)
    (request,) = loop.next_requests()
    composed, decomposed = (
        THREE_TASKS.replace("{seed}", text) for text in ("caf\u00e9 ", "cafe\u0301 ")
    )
    first = answer(request, composed + decomposed)
    loop.add_answers([first])
    assert len(loop.tasks) == 3
    assert [row.reason for row in loop.dropped] == ["same_task"] * 3
    assert [row.witness for row in loop.dropped] == [task.id for task in loop.tasks.values()]


def test_max_requests_ends_it() -> None:
    loop = begin(target_kept=1000, max_requests=20, round_requests=8)
    assert sum(map(len, play(loop))) == 20


def test_a_round_without_tasks_is_the_last() -> None:
    loop = begin(target_kept=10, max_requests=20, round_requests=8)
    sizes = [len(part) for part in play(loop, lambda request: answer(request, "Sorry."))]
    assert sizes == [2, 6], "2 at 6 tasks a reply; then all that the round allows"
    assert {row.reason for row in loop.dropped} == {"no_tasks"}
    assert loop.stalled


def test_a_refusal_is_no_reply_to_read() -> None:
    loop = begin(requests=1)
    ((request,),) = play(loop, lambda request: answer(request, THREE_TASKS, "I can't."))
    (row,) = loop.dropped
    assert (row.id, row.reason, row.witness) == (f"{request.key()}/0", "refused", "I can't.")
    assert not loop.tasks


def test_the_last_few_are_not_requested_one_by_one() -> None:
    def rarely(request: Request) -> Answer:
        return reply(request) if int(request.key(), 16) % 40 == 0 else answer(request, "Sorry.")

    loop = begin(target_kept=40, max_requests=5000, round_requests=500)
    sizes = [len(part) for part in play(loop, rarely)]
    assert len(loop.kept_tasks()) >= 40
    assert min(sizes[1:]) >= 0.02 * 400
    assert len(sizes) < 25


def test_missing_answers_are_counted_as_under_way() -> None:
    loop = begin(target_kept=41, round_requests=100)
    requests = loop.next_requests()
    loop.add_answers([*map(reply, requests[:3]), *[None] * (len(requests) - 3)])
    assert (len(requests), loop.requested, loop.answered, loop.kept_per_reply) == (7, 7, 3, 2)
    assert loop.expected_requests == 18 - 4  # 35 more at 2 a reply, of which 4 are under way


def test_a_round_without_answers_does_not_stall_the_loop() -> None:
    """A quote goes so far; the rest must be in it."""
    loop = begin(target_kept=100, round_requests=8)
    loop.add_answers([None] * len(loop.next_requests()))
    assert (loop.requested, loop.stalled) == (8, False)
    assert loop.expected_requests == 17 - 8  # 100 at 6 a reply


@pytest.mark.parametrize("machine", [0, 2])
def test_a_higher_target_sends_the_same_requests_first(machine: int) -> None:
    few, many = (
        begin(target_kept=target, round_requests=8, seeds_per_request=4, machine_examples=machine)
        for target in (41, 83)
    )
    asked = [keys([request for part in play(loop) for request in part]) for loop in (few, many)]
    assert asked[1][: len(asked[0])] == asked[0]
    assert len(set(asked[1])) == len(asked[1]) == 42


def test_machine_examples_are_kept_tasks_of_earlier_rounds() -> None:
    loop = begin(requests=24, round_requests=8, seeds_per_request=4, machine_examples=2)
    first = loop.next_requests()
    loop.add_answers([reply(request) for request in first])
    kept = {task.instruction for task in loop.kept_tasks()}
    second = loop.next_requests()
    assert (len(first), len(second)) == (8, 8)
    for requests, machine in ((first, 0), (second, 2)):
        for request in requests:
            shown = [
                line.removeprefix("Instruction: ")
                for line in request.prompt().splitlines()
                if line.startswith("Instruction: ")
            ]
            assert len(shown) == 4
            assert sum(text in kept for text in shown) == machine
    loop.add_answers([reply(request) for request in second])
    ids = {seed.id for seed in make_seeds(30)} | set(loop.tasks)
    assert all(set(task.seeds) <= ids for task in loop.tasks.values())


def test_the_same_examples_again_are_another_sample() -> None:
    (requests,) = play(begin(3, requests=4, seeds_per_request=3))
    examples = {request.label.split("examples ")[1] for request in requests}
    assert len({request.key() for request in requests}) == 4
    assert max(request.sample for request in requests) == 4 - len(examples)


def test_a_repeated_task_is_dropped_with_the_first_as_witness() -> None:
    loop = begin(requests=2)
    first, second = loop.next_requests()
    loop.add_answers([reply(first)] * 2)
    assert len(loop.tasks) == 3
    repeated = [(row.reason, row.witness, row.id) for row in loop.dropped]
    assert repeated == [
        ("same_task", id, f"{first.key()}/{index}") for index, id in enumerate(loop.tasks)
    ]
    assert second.key() != first.key()


def test_examples_without_a_seed_are_refused() -> None:
    with pytest.raises(ValueError, match="leave none for a seed"):
        begin(seeds_per_request=2, machine_examples=2)


def test_structured_output_is_asked_for_and_read() -> None:
    (request,) = begin(requests=1, format="json_schema").next_requests()
    assert "<noinput>" not in request.body["messages"][1]["content"].split("### Example")[0]
    form = request.body["response_format"]
    assert (form["type"], form["json_schema"]["strict"]) == ("json_schema", True)
    item = form["json_schema"]["schema"]["properties"]["tasks"]["items"]
    assert set(item["required"]) == set(item["properties"])
    assert len(item["properties"]["type"]["enum"]) == 10
    (plain,) = begin(requests=1, format="text").next_requests()
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
    (request,) = begin(requests=1, model="m", tasks_per_request=12, **settings).next_requests()
    sent = {name: value for name, value in request.body.items() if name != "messages"}
    assert sent == {
        "model": "m",
        "temperature": 0.3,
        "top_p": 0.9,
        "presence_penalty": 1.1,
        "max_tokens": 77,
        "seed": 7,
    }
    assert request.retry_max_tokens == 99
    assert "Write 12 new medical tasks" in request.prompt()
    levels = RESPONSE_FORMAT["json_schema"]["schema"]["properties"]["tasks"]["items"]
    assert levels["properties"]["difficulty"]["enum"] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("name", ["temperature", "endpoint", "messages", "sample"])
def test_extra_cannot_change_what_has_its_own_key(name: str) -> None:
    with pytest.raises(ValueError, match=rf"extra\.{name}"):
        begin(extra={name: 1})
