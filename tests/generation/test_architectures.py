"""Models of many kinds answer in a batch as they do alone, while rows leave it and join."""

from typing import Any

import pytest
import torch
import transformers
from answerers import make_tests
from architectures import APART, LEAKS, build

from alpacare.generation import batched
from alpacare.generation.batched import answer_rows
from alpacare.generation.settings import Decoding, GenerationsSettings

SETTINGS = GenerationsSettings(
    engines=["batched"], servers=[], workers=1, max_new_tokens=24, temperature=0.0, top_p=1.0,
    seed=0, cache_tokens=1, step_tokens=1,
    dtype="float32", threads=1,
)  # fmt: skip
DRAW = torch.Generator().manual_seed(1)
PROMPTS = [
    torch.randint(40, 300, (3 + len(test.instruction) % 40,), generator=DRAW).tolist()
    for test in make_tests(6)
]


def answer_plainly(model: Any, prompt: list[int]) -> list[int]:
    options = {"max_new_tokens": 24, "do_sample": False, "pad_token_id": 0}
    new: list[int] = model.generate(torch.tensor([prompt]), **options)[0, len(prompt) :].tolist()
    return new


@pytest.mark.parametrize("kind", [*APART, *LEAKS])
def test_rows_that_leave_or_join_change_no_other(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batched, "_CHUNK", 8)  # so that three checks come soon
    model = build(kind)
    torch.manual_seed(2)
    with torch.no_grad():
        for weights in model.parameters():
            if weights.ndim > 1:  # so large that answers differ
                weights.copy_(torch.randn_like(weights) * 0.3)
    model.generation_config = transformers.GenerationConfig()
    plain = [answer_plainly(model, prompt) for prompt in PROMPTS]
    ends = [plain[0][3], plain[1][10]]

    def cut(ids: list[int]) -> list[int]:
        return ids[: next((n for n, token in enumerate(ids) if token in ends), len(ids))]

    lengths = {len(cut(ids)) for ids in plain}
    assert min(lengths) < 8 < max(lengths), "some must leave early, and some stay"
    for cache_tokens in (10**6, 250):  # all at once, and a few that make room for the others
        settings = SETTINGS.model_copy(update={"cache_tokens": cache_tokens})
        together: dict[int, list[int]] = {}
        for ended in answer_rows(model, PROMPTS, [0] * len(PROMPTS), Decoding(settings, ends, 0)):
            assert not together.keys() & ended.keys()
            together |= ended
        assert [cut(together[n]) for n in range(len(PROMPTS))] == [cut(ids) for ids in plain]
