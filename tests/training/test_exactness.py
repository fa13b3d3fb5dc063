"""Packing, batching, adapters: the same examples in other batches train the same weights."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import cross_entropy

from alpacare.training.data import collate_padded, pack_examples
from alpacare.training.held_out import estimate, estimate_change
from alpacare.training.packing import IGNORE_INDEX, Example, build_tensors
from alpacare.training.student import load_base
from alpacare.training.validation import read_measurements
from alpacare.training.worker import history
from students import BASE, TOKENIZER, make_examples, make_settings, trained

EXAMPLES = make_examples(8)
LORA = {"rank": 4, "alpha": 8, "dropout": 0.0, "targets": "all-linear"}


def weights(trainer: Any) -> dict[str, Any]:
    return {name: value.detach() for name, value in trainer.model.named_parameters()}


def furthest(one: dict[str, Any], other: dict[str, Any]) -> float:
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


@pytest.mark.parametrize("lora", [None, LORA])
def test_packed_and_padded_training_give_the_same_weights(lora: Any, tmp_path: Path) -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"packing": False, "micro_batch_size": 3},
        {"micro_batch_size": 1, "gradient_checkpointing": True},
    ]
    start = weights_of_a_fresh_model()
    first = weights(trained(make_settings(lora=lora), EXAMPLES, tmp_path / "0"))
    if lora is None:
        assert furthest(start, first) > 1e-3
    for number, change in enumerate(changes[1:], start=1):
        other = trained(make_settings(lora=lora, **change), EXAMPLES, tmp_path / str(number))
        assert furthest(first, weights(other)) < 5e-5, change  # Adam enlarges what rounding does


def weights_of_a_fresh_model() -> dict[str, Any]:
    model = load_base(BASE)
    return {name: value.detach().clone() for name, value in model.named_parameters()}


def count_written(examples: list[Example]) -> int:
    return sum(
        len(each.ids) - each.prompt_length - sum(last - first for first, last in each.gaps)
        for each in examples
    )


def loss_alone(model: Any, example: Example) -> Any:
    """The sum of the response tokens' losses of one example, by its definition."""
    ids = torch.tensor([example.ids])
    with torch.no_grad():
        logits = model(input_ids=ids, use_cache=False).logits[0]
    targets = ids[0, 1:].clone()
    for first, last in ((1, example.prompt_length), *example.gaps):
        targets[first - 1 : last - 1] = IGNORE_INDEX
    return cross_entropy(logits[:-1], targets, reduction="sum", ignore_index=IGNORE_INDEX)


def test_the_loss_is_the_mean_over_all_response_tokens_of_a_step(tmp_path: Path) -> None:
    model = load_base(BASE).double()
    total = sum(float(loss_alone(model, example)) for example in EXAMPLES)
    tokens = count_written(EXAMPLES)
    for number, change in enumerate(({}, {"packing": False, "micro_batch_size": 3})):
        trainer = trained(
            make_settings(optimizer__epochs=1, **change), EXAMPLES, tmp_path / str(number)
        )
        assert trainer.state.log_history[0]["loss"] == pytest.approx(total / tokens, abs=1e-6)


def test_each_example_has_the_same_loss_packed_and_alone() -> None:
    model = load_base(BASE).double()
    for sequence in pack_examples(EXAMPLES, make_settings()):
        batch = collate_padded([sequence], 96, TOKENIZER.pad_token_id)
        labels = batch.pop("labels")[0, 1:]
        logits = model(**batch, use_cache=False).logits[0, :-1]
        losses = cross_entropy(logits, labels, reduction="none", ignore_index=IGNORE_INDEX)
        start = 0
        for example in sequence:
            packed = float(losses[start : start + len(example.ids) - 1].sum())
            assert packed == pytest.approx(float(loss_alone(model, example)), abs=1e-6)
            start += len(example.ids)


@pytest.mark.parametrize("change", [{}, {"packing": False, "micro_batch_size": 3}])
def test_held_out_examples_are_measured_before_the_first_step_and_after_each_epoch(
    change: dict[str, Any], tmp_path: Path
) -> None:
    held = make_examples(11)[8:] + EXAMPLES[:4]
    settings = make_settings(optimizer__epochs=2, **change)
    trainer = trained(settings, EXAMPLES, tmp_path, held)
    before, between, after = read_measurements(tmp_path)
    assert (before.step, between.step, after.step) == (0, 1, 2)
    order = [example for sequence in pack_examples(held, settings) for example in sequence]
    for model, measured in ((load_base(BASE), before), (trainer.model, after)):
        alone = [float(loss_alone(model.double().eval(), example)) for example in order]
        assert measured.losses == pytest.approx(alone, abs=1e-4)
        assert measured.tokens == [count_written([example]) for example in order]
        whole = estimate(measured)
        assert whole.nats == pytest.approx(sum(alone) / count_written(held), abs=1e-5)
        assert whole.low < whole.nats < whole.high
    change_of_all = estimate_change(before, after)
    assert change_of_all.nats == pytest.approx(estimate(after).nats - estimate(before).nats)
    assert change_of_all.low < change_of_all.nats < change_of_all.high < 0, "it has learned"
    steps = history(trainer.state.log_history)
    assert [entry["step"] for entry in steps] == [1, 2]
    measured_then = [entry["validation_loss"] for entry in steps]
    assert measured_then == [estimate(each).nats for each in (between, after)]


def leak(
    model: Any, attention: str, *, training: bool, checkpointing: bool, **broken: Any
) -> float:
    """How much changing one example of a sequence changes the logits of the next."""
    model.set_attn_implementation(attention)
    model.train(training)
    if checkpointing:
        model.gradient_checkpointing_enable()
    else:
        model.gradient_checkpointing_disable()
    first, second = EXAMPLES[2], EXAMPLES[1]
    changed = Example([token % 200 + 50 for token in first.ids], first.prompt_length, False)
    logits = []
    for one in (first, changed):
        built = build_tensors([one, second], 96, 0)
        batch = {name: built[name][None] for name in ("input_ids", "position_ids")}
        logits.append(model(**batch, **{"use_cache": False, **broken}).logits[0].detach())
    place = slice(len(first.ids), len(first.ids) + len(second.ids))
    return float((logits[0][place] - logits[1][place]).abs().max())


@pytest.fixture(scope="module")
def model() -> Any:
    return load_base(BASE)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("checkpointing", [True, False])
def test_no_example_of_a_sequence_sees_another(
    model: Any, attention: str, training: bool, checkpointing: bool
) -> None:
    assert leak(model, attention, training=training, checkpointing=checkpointing) == 0.0


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_the_leak_shows_when_the_rules_are_broken(model: Any, attention: str) -> None:
    ones = torch.ones(1, 96, dtype=torch.long)
    for broken in ({"attention_mask": ones}, {"use_cache": True}):
        assert leak(model, attention, training=False, checkpointing=False, **broken) > 0.001
