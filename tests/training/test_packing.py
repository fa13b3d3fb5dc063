"""Packed rows: nothing lost, nothing seen across examples, the mask on the boundary."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from alpacare.training.packing import IGNORED, Example, best_fit, build_row, encode_example
from alpacare.training.student import Architecture, StudentSettings, load_base
from alpacare.training.tokenizer import train_tokenizer

TEXTS = ["the heart pumps blood", "### Response:\n", "ask a doctor about the heart, now"]


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return train_tokenizer(TEXTS * 3, 300)


@pytest.fixture(scope="module")
def model(tokenizer: Any) -> Any:
    shape = Architecture(hidden_size=32, layers=2, heads=2, vocab_size=300, context=128)
    settings = StudentSettings(
        base="random", revision=None, architecture=shape, dtype="float32", seed=0
    )
    return load_base(settings, tokenizer).eval()


@given(st.lists(st.integers(1, 100), max_size=60))
def test_every_item_is_in_exactly_one_row_that_holds_it(lengths: list[int]) -> None:
    rows = best_fit(lengths, 100)
    assert sorted(p for row in rows for p in row) == list(range(len(lengths)))
    assert all(0 < sum(lengths[p] for p in row) <= 100 for row in rows)


def test_best_fit_decreasing_fills_the_tightest_row() -> None:
    assert best_fit([50, 70, 30, 20, 100, 30], 100) == [[4], [1, 2], [0, 5, 3]]


def start(tokenizer: Any, prompt: str) -> list[int]:
    """A prompt's token ids."""
    return [tokenizer.bos_token_id, *tokenizer.encode(prompt, add_special_tokens=False)]


def test_the_mask_sits_on_the_boundary(tokenizer: Any) -> None:
    example = encode_example(tokenizer, start(tokenizer, "ask a doctor\n"), "now", True, 100)
    assert example is not None
    row = build_row([example], 16, tokenizer.pad_token_id)
    labels = [label for label in row["labels"].tolist() if label != IGNORED]
    assert tokenizer.decode(labels) == "now" + tokenizer.eos_token
    assert row["input_ids"][0] == tokenizer.bos_token_id


def test_a_long_response_is_cut_and_a_long_prompt_is_refused(tokenizer: Any) -> None:
    cut = encode_example(tokenizer, start(tokenizer, "ask\n"), "the heart pumps blood", True, 6)
    assert cut is not None
    assert (len(cut.ids), cut.truncated) == (6, True)
    assert (
        encode_example(tokenizer, start(tokenizer, "the heart pumps blood" * 5), "now", True, 6)
        is None
    )


def test_an_answer_that_was_cut_off_does_not_teach_to_stop(tokenizer: Any) -> None:
    example = encode_example(tokenizer, start(tokenizer, "ask\n"), "the heart", False, 100)
    assert example is not None
    assert tokenizer.eos_token_id not in example.ids


def logits(model: Any, row: dict[str, Any]) -> Any:
    with torch.no_grad():
        return model(
            input_ids=row["input_ids"][None],
            position_ids=row["position_ids"][None],
            use_cache=False,
        ).logits[0]


def test_no_example_sees_its_neighbours(model: Any) -> None:
    """Change the first example of a row: the second one's logits must not move at all."""
    first, other = Example([5, 6, 7, 8, 9], 2, False), Example([99, 98, 97, 96, 95], 2, False)
    second = Example([20, 21, 22, 23], 1, False)
    with_first = logits(model, build_row([first, second], 12, 0))
    with_other = logits(model, build_row([other, second], 12, 0))
    alone = logits(model, build_row([second], 4, 0))
    assert torch.equal(with_first[5:9], with_other[5:9])
    torch.testing.assert_close(with_first[5:9], alone, atol=1e-5, rtol=0)


def test_a_packed_row_gives_the_gradient_of_its_examples(model: Any) -> None:
    examples = [Example([5, 6, 7, 8, 9], 2, False), Example([20, 21, 22, 23], 1, False)]

    def gradient(rows: list[dict[str, Any]], tokens: int) -> Any:
        model.zero_grad()
        for row in rows:
            batch = {key: value[None] for key, value in row.items()}
            model(**batch, use_cache=False, num_items_in_batch=torch.tensor(tokens)).loss.backward()
        return torch.cat([p.grad.flatten() for p in model.parameters()])

    packed = gradient([build_row(examples, 16, 0)], 6)
    apart = gradient([build_row([e], 16, 0) for e in examples], 6)
    torch.testing.assert_close(packed, apart, atol=1e-6, rtol=1e-4)
