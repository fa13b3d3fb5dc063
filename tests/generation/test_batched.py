"""Batched answers are the answers one prompt at a time would get."""

from typing import Any

import pytest
import torch

from alpacare.generation.batched import answer_all, encode_prompts
from alpacare.training.student import Architecture, StudentSettings, load_base
from alpacare.training.tokenizer import train_tokenizer


@pytest.fixture(scope="module")
def student() -> Any:
    tokenizer = train_tokenizer(["ask a doctor about the heart, now"] * 3, 300)
    shape = Architecture(hidden_size=32, layers=2, heads=2, vocab_size=300, context=256)
    settings = StudentSettings(
        base="random", revision=None, architecture=shape, dtype="float32", seed=1
    )
    return load_base(settings, tokenizer).eval(), tokenizer


def answers(student: Any, prompts: list[list[int]], batch_size: int) -> list[Any]:
    model, tokenizer = student
    return answer_all(model, tokenizer, prompts, 20, batch_size, lambda done: None)


def test_batches_change_nothing(student: Any) -> None:
    texts = ["a doctor " * n for n in (1, 30, 2, 17, 5, 1, 23)]
    prompts = encode_prompts(student[1], texts)
    assert answers(student, prompts, 3) == answers(student, prompts, 1)


class Script(torch.nn.Module):
    """A fake model whose `generate` appends tokens given in advance."""

    device = torch.device("cpu")

    def __init__(self, continuations: list[list[int]]) -> None:
        super().__init__()
        self.continuations = continuations

    def generate(self, input_ids: Any, **_: Any) -> Any:
        return torch.cat([input_ids, torch.tensor(self.continuations)], dim=1)


def test_the_answer_is_the_new_tokens_up_to_the_end(student: Any) -> None:
    """An answer that quotes the prompt's own marker survives whole."""
    tokenizer = student[1]
    text = tokenizer.encode("ask ### Response: now", add_special_tokens=False)
    ended = [*text, tokenizer.eos_token_id, *text]
    cut_off = text + text[: len(ended) - len(text)]
    cut_off += text[: len(ended) - len(cut_off)]
    script = Script([ended, cut_off])
    got = answer_all(
        script, tokenizer, [[1, 5], [1, 6]], 99, 2, lambda done: None  # type: ignore[arg-type]
    )  # fmt: skip
    assert got[0].text == "ask ### Response: now"
    assert [answer.finish_reason for answer in got] == ["stop", "length"]
    assert got[1].text == tokenizer.decode(cut_off)
