"""Sampled answers: each row has draws of its own, from the right distribution."""

from pathlib import Path

import numpy as np
import pytest
import torch
from answerers import answer, fail, make_checkpoint, make_tests
from hypothesis import given
from hypothesis import strategies as st

from alpacare.generation.sampling import draw_tokens

TESTS = make_tests(12, most=12)
HOT = {"temperature": 1.0, "top_p": 0.9, "seed": 3}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("model") / "checkpoint")


def test_a_row_draws_the_same_in_any_batch(checkpoint: Path) -> None:
    together = answer(checkpoint, TESTS, **HOT, cache_tokens=10**6)
    assert answer(checkpoint, TESTS, **HOT, cache_tokens=600) == together
    assert answer(checkpoint, TESTS[::-1], **HOT) == together[::-1]
    assert answer(checkpoint, TESTS[3:5], **HOT) == together[3:5]
    assert answer(checkpoint, TESTS, temperature=0.0) != together


def test_another_seed_draws_otherwise(checkpoint: Path) -> None:
    first = [record.output for record in answer(checkpoint, TESTS, **HOT)]
    second = [record.output for record in answer(checkpoint, TESTS, **{**HOT, "seed": 4})]
    assert sum(a == b for a, b in zip(first, second, strict=True)) < len(TESTS) / 2


def test_frequencies_of_draws_are_the_probabilities() -> None:
    wanted = torch.tensor([0.5, 0.3, 0.15, 0.05])
    uniforms = torch.from_numpy(np.random.default_rng(0).random(20_000))
    logits = wanted.log().repeat(len(uniforms), 1)
    counts = torch.bincount(draw_tokens(logits, uniforms, 1.0, 1.0), minlength=4) / len(uniforms)
    assert torch.allclose(counts.double(), wanted.double(), atol=0.015)
    halved = torch.bincount(draw_tokens(logits, uniforms, 0.5, 1.0), minlength=4) / len(uniforms)
    assert torch.allclose(halved.double(), (wanted**2 / (wanted**2).sum()).double(), atol=0.015)
    nucleus = torch.bincount(draw_tokens(logits, uniforms, 1.0, 0.7), minlength=4) / len(uniforms)
    assert torch.allclose(nucleus.double(), torch.tensor([0.625, 0.375, 0, 0]).double(), atol=0.015)


@given(
    st.lists(st.floats(-30, 30), min_size=1, max_size=40),
    st.floats(0, 1, exclude_max=True),
    st.floats(0.05, 5),
    st.floats(0.01, 1),
)
def test_a_draw_is_a_token_of_the_nucleus(
    values: list[float], uniform: float, temperature: float, top_p: float
) -> None:
    logits, uniforms = torch.tensor([values]), torch.tensor([uniform], dtype=torch.float64)
    token = int(draw_tokens(logits, uniforms, temperature, top_p)[0])
    chances = (logits.double() / temperature).softmax(-1)[0]
    likelier = float(chances[chances > chances[token] + 2**-39].sum())  # weights have 40 bits
    assert likelier < top_p + 1e-9
    assert chances[token] > 0


def test_draws_that_could_not_be_repeated_are_refused(checkpoint: Path) -> None:
    assert "use batched, or temperature 0" in fail(
        checkpoint, TESTS, engines=["continuous"], temperature=1.0
    )
