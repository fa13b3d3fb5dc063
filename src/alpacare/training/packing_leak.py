"""A look at the model at hand: does it keep the examples of a packed row apart?

Restarting position ids do that in transformers' common attention code. Models with attention or
state of their own may not read them, and would let examples see each other without a word.
"""

from typing import TYPE_CHECKING

from alpacare.core.errors import BadInput
from alpacare.training.packing import Example, build_row

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedModel

_LENGTH = 8  # tokens of each of two examples
_NOISE = 1e-3  # of the largest logit: what rounding may move, and a leak exceeds


def check_apart(model: "PreTrainedModel | PeftModel") -> None:
    """Change one example of a packed row and see whether the logits of the next one move.

    Raises:
        BadInput: they do, or the model takes no position ids.
    """
    import torch

    was_training = model.training
    model.eval()
    with torch.no_grad():
        try:
            one, other = (_second_logits(model, start) for start in (10, 40))
        except TypeError as error:
            raise BadInput(_refusal(model, "takes no position ids")) from error
    model.train(was_training)
    if (one - other).abs().max() > _NOISE * one.abs().max():
        raise BadInput(_refusal(model, "lets packed examples see each other"))


def _second_logits(model: "PreTrainedModel | PeftModel", start: int) -> "torch.Tensor":
    """Logits of the second example, [tokens, vocabulary], behind a first one made from `start`."""
    first = Example(list(range(start, start + _LENGTH)), 1, truncated=False)
    second = Example(list(range(70, 70 + _LENGTH)), 1, truncated=False)
    row = build_row([first, second], 2 * _LENGTH, 0)
    batch = {name: row[name][None].to(model.device) for name in ("input_ids", "position_ids")}
    logits: torch.Tensor = model(**batch, use_cache=False).logits[0, _LENGTH:]
    return logits.float()


def _refusal(model: "PreTrainedModel | PeftModel", what: str) -> str:
    return f"checkpoint.packing: this model ({model.config.model_type}) {what}; set it to false"
