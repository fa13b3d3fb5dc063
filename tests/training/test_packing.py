"""Packed sequences: nothing lost, nothing seen across examples, the mask on the boundary."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from alpacare.training.packing import (
    IGNORE_INDEX,
    Example,
    best_fit_decreasing,
    build_tensors,
    encode_example,
)
from alpacare.training.settings import Architecture, StudentSettings
from alpacare.training.student import load_base, train_tokenizer

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
def test_every_item_is_in_exactly_one_bin_that_holds_it(lengths: list[int]) -> None:
    bins = best_fit_decreasing(lengths, 100)
    assert sorted(p for each in bins for p in each) == list(range(len(lengths)))
    assert all(0 < sum(lengths[p] for p in each) <= 100 for each in bins)


def test_best_fit_decreasing_fills_the_fullest_bin() -> None:
    assert best_fit_decreasing([50, 70, 30, 20, 100, 30], 100) == [[4], [1, 2], [0, 5, 3]]


def start(tokenizer: Any, prompt: str) -> list[int]:
    """A prompt's token ids."""
    return [tokenizer.bos_token_id, *tokenizer.encode(prompt, add_special_tokens=False)]


def test_the_mask_sits_on_the_boundary(tokenizer: Any) -> None:
    example = encode_example(tokenizer, start(tokenizer, "ask a doctor\n"), "now", True, 100)
    assert example is not None
    built = build_tensors([example], 16, tokenizer.pad_token_id)
    labels = [label for label in built["labels"].tolist() if label != IGNORE_INDEX]
    assert tokenizer.decode(labels) == "now" + tokenizer.eos_token
    assert built["input_ids"][0] == tokenizer.bos_token_id


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


def logits(model: Any, built: dict[str, Any]) -> Any:
    with torch.no_grad():
        return model(
            input_ids=built["input_ids"][None],
            position_ids=built["position_ids"][None],
            use_cache=False,
        ).logits[0]


def test_no_example_sees_its_neighbours(model: Any) -> None:
    """Change the first example: the second one's logits must not change at all."""
    first, other = Example([5, 6, 7, 8, 9], 2, False), Example([99, 98, 97, 96, 95], 2, False)
    second = Example([20, 21, 22, 23], 1, False)
    with_first = logits(model, build_tensors([first, second], 12, 0))
    with_other = logits(model, build_tensors([other, second], 12, 0))
    alone = logits(model, build_tensors([second], 4, 0))
    assert torch.equal(with_first[5:9], with_other[5:9])
    torch.testing.assert_close(with_first[5:9], alone, atol=1e-5, rtol=0)


def test_a_packed_sequence_gives_the_gradient_of_its_examples(model: Any) -> None:
    examples = [Example([5, 6, 7, 8, 9], 2, False), Example([20, 21, 22, 23], 1, False)]

    def gradient(sequences: list[dict[str, Any]], tokens: int) -> Any:
        model.zero_grad()
        for built in sequences:
            batch = {key: value[None] for key, value in built.items()}
            model(**batch, use_cache=False, num_items_in_batch=torch.tensor(tokens)).loss.backward()
        return torch.cat([p.grad.flatten() for p in model.parameters()])

    packed = gradient([build_tensors(examples, 16, 0)], 6)
    separate = gradient([build_tensors([e], 16, 0) for e in examples], 6)
    torch.testing.assert_close(packed, separate, atol=1e-6, rtol=1e-4)
