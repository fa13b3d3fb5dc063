"""Engine `continuous`, which the stage offers on GPUs only, answers and stops on a CPU here."""

from collections.abc import Mapping
from itertools import islice
from typing import Any

import pytest
import torch
from architectures import build

from alpacare.generation.batched import answer_rows
from alpacare.generation.continuous import answer_stream, attention_name
from alpacare.generation.settings import Decoding, GenerationsSettings

SETTINGS = GenerationsSettings(
    engines=["continuous"], servers=[], workers=1, max_new_tokens=24, temperature=0.0, top_p=1.0,
    seed=0, cache_tokens=512, step_tokens=64,
    dtype="float32", threads=1,
)  # fmt: skip
DECODING = Decoding(SETTINGS, [2], 0)
DRAW = torch.Generator().manual_seed(1)
PROMPTS = {
    position: torch.randint(40, 300, (3 + 5 * position,), generator=DRAW).tolist()
    for position in range(12)
}


@pytest.fixture
def model() -> Any:
    made = build("Llama")
    made.set_attn_implementation(attention_name())
    return made


def cut(answers: Mapping[int, list[int]]) -> dict[int, list[int]]:
    return {place: ids[: ids.index(2)] if 2 in ids else ids for place, ids in answers.items()}


def test_its_answers_are_those_of_batched(model: Any) -> None:
    batched: dict[int, list[int]] = {}
    for ended in answer_rows(build("Llama"), list(PROMPTS.values()), [0] * 12, DECODING):
        batched |= ended
    assert cut(dict(answer_stream(model, PROMPTS, DECODING))) == cut(batched)


def test_it_stops_at_once(model: Any) -> None:
    """It would else answer all the others before it ends, and throw them away."""
    steps = 0

    def count(*_: Any) -> None:
        nonlocal steps
        steps += 1

    model.register_forward_hook(count)
    answers = answer_stream(model, PROMPTS, DECODING)
    assert len(list(islice(answers, 2))) == 2
    before = steps
    answers.close()  # type: ignore[attr-defined]
    assert steps - before < 24, "twelve answers of 24 tokens do not fit at once"
