"""Packed sequences: nothing lost, nothing seen across examples, the mask on the boundary."""

from hypothesis import given
from hypothesis import strategies as st

from alpacare.training.packing import (
    IGNORE_INDEX,
    best_fit_decreasing,
    build_tensors,
    encode_example,
)
from students import END, TOKENIZER, start


@given(st.lists(st.integers(1, 100), max_size=60))
def test_every_item_is_in_exactly_one_bin_that_holds_it(lengths: list[int]) -> None:
    bins = best_fit_decreasing(lengths, 100)
    assert sorted(p for each in bins for p in each) == list(range(len(lengths)))
    assert all(0 < sum(lengths[p] for p in each) <= 100 for each in bins)


def test_best_fit_decreasing_fills_the_fullest_bin() -> None:
    assert best_fit_decreasing([50, 70, 30, 20, 100, 30], 100) == [[4], [1, 2], [0, 5, 3]]


def test_the_mask_sits_on_the_boundary() -> None:
    example = encode_example(TOKENIZER, start("ask a doctor\n"), "now", END, 100)
    assert example is not None
    built = build_tensors([example], 16, TOKENIZER.pad_token_id)
    labels = [label for label in built["labels"].tolist() if label != IGNORE_INDEX]
    assert TOKENIZER.decode(labels) == "now" + TOKENIZER.eos_token
    assert built["input_ids"][0] == TOKENIZER.bos_token_id


def test_a_long_response_is_cut_and_a_long_prompt_is_refused() -> None:
    cut = encode_example(TOKENIZER, start("ask\n"), "the heart pumps blood", END, 6)
    assert cut is not None
    assert (len(cut.ids), cut.truncated) == (6, True)
    assert encode_example(TOKENIZER, start("the heart pumps blood" * 5), "now", END, 6) is None


def test_an_answer_that_was_cut_off_does_not_teach_to_stop() -> None:
    example = encode_example(TOKENIZER, start("ask\n"), "the heart", [], 100)
    assert example is not None
    assert TOKENIZER.eos_token_id not in example.ids
