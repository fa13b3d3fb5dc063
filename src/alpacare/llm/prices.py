"""Prices of calls, before and after: the table of genai-prices, and `prices.yaml` for the rest.

prices.yaml, dollars for a million tokens; a model that costs nothing says 0:

    my-model: {input: 0.2, output: 0.6, batch: 0.5}     # batch: share of the price in a batch
"""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import cache
from pathlib import Path

from alpacare.core.errors import BadInput
from alpacare.core.settings import check, read_yaml
from alpacare.llm.reply import CAPPED, Completion
from alpacare.llm.request import Price, Request

OVERRIDES = Path("prices.yaml")
BATCH = "batch"
_MOST_TOKENS = 10**12  # of a count: a larger one makes no number of dollars
STUDENT_PREFIX = "student-"  # and 12 hex digits: a checkpoint trained here, free to ask
# tokens in, tokens out, cached tokens among those in -> dollars
PriceFunction = Callable[[int, int, int], float]


class Prices:
    """Dollars by model; each model is looked up once."""

    def __init__(self, path: Path = OVERRIDES) -> None:
        from importlib.metadata import version

        self.path = path
        lines = read_yaml(path) if path.exists() else {}
        self.overrides = {
            model: check(line, Price, f"{path}: {model}.") for model, line in lines.items()
        }
        self._table = f"genai-prices {version('genai-prices')}"
        self.cost_of = cache(self._cost_of)

    def source(self, request: Request) -> str:
        """Name the source of a call's price."""
        model = str(request.body["model"])
        if request.price:
            return "settings"
        if model in self.overrides:
            return str(self.path)
        return "own" if is_student(model) else self._table

    def cost(self, request: Request, mode: str) -> PriceFunction:
        """Give the function from a call's tokens to its price."""
        own = request.price
        return _own_price(own, mode) if own else self.cost_of(str(request.body["model"]), mode)

    def worst(self, request: Request, mode: str) -> float:
        """Give the most that a call can cost, in dollars.

        Raises:
            BadInput: the model's price is not known, or the request has no token limit.
        """
        cost = self.cost(request, mode)
        outputs = request.most_output_tokens()
        if outputs is None and cost(0, 1_000_000, 0) > 0:
            raise BadInput(f"{request.label}: no max_tokens, so its price has no upper bound")
        return cost(request.most_input_tokens(), outputs or 0, 0)

    def paid(
        self, request: Request, completion: Completion, mode: str, worst: float
    ) -> tuple[float, list[str]]:
        """Give what a call cost by the server's own count, and what was odd in it.

        What the server does not count has its worst price, and no call costs more than its `worst`:
        a higher count is not believed, or one reply could use up the whole budget.
        """
        inputs, outputs, cached = _tokens(completion)
        if inputs is None:
            inputs, cached = request.most_input_tokens(), 0
        if outputs is None:
            outputs = request.most_output_tokens() or 0
        price = self.cost(request, mode)(inputs, outputs, cached)
        return (price, []) if price <= worst else (worst, [CAPPED])

    def _cost_of(self, model: str, mode: str) -> PriceFunction:
        if line := self.overrides.get(model):
            return _own_price(line, mode)
        return _linear(0.0, 0.0, 0.0) if is_student(model) else self._from_table(model, mode)

    def _from_table(self, model: str, mode: str) -> PriceFunction:
        from genai_prices import Usage, calc_price

        context = {"processing": "batch"} if mode == BATCH else None
        try:
            found = calc_price(Usage(input_tokens=1), model_ref=model, price_context=context)
            output = calc_price(Usage(output_tokens=1), model_ref=model, price_context=context)
            if not (found.total_price and output.total_price):
                raise LookupError  # zero in a price table means that it was not entered
        except LookupError:
            raise BadInput(
                f"no price known for model '{model}': write it into {self.path}, in dollars for a "
                f"million tokens, say `{model}: {{input: 0.5, output: 1.5}}` (0 if it is your own)"
            ) from None
        price = found.model_price
        rates = [getattr(price, f"{kind}_mtok", None) for kind in ("input", "output", "cache_read")]
        if all(isinstance(rate, Decimal) for rate in rates):
            return _linear(*(float(rate) / 1e6 for rate in rates if rate is not None))

        def tiered(inputs: int, outputs: int, cached: int) -> float:
            usage = Usage(
                input_tokens=inputs, output_tokens=outputs, cache_read_tokens=min(cached, inputs)
            )
            return float(price.calc_price(usage)["total_price"])

        return tiered


def _tokens(completion: Completion) -> tuple[int | None, int | None, int]:
    """Give the tokens in, out and cached that the server counts; None if it does not.

    Zero tokens for a prompt, or for an answer that is there, are no count.
    """
    choice, counts = completion.choices[0], completion.usage
    if counts is None:
        return None, None, 0
    inputs, outputs = counts.prompt_tokens, counts.completion_tokens
    if counts.total_tokens and inputs is not None:
        outputs = max(outputs or 0, counts.total_tokens - inputs)
    details = counts.prompt_tokens_details
    cached = (details.cached_tokens if details else None) or 0
    most = _MOST_TOKENS
    return (
        min(inputs, most) if inputs else None,
        None if outputs is None or (choice.answer and not outputs) else min(outputs, most),
        min(cached, most),
    )


def _own_price(price: Price, mode: str) -> PriceFunction:
    share = price.batch if mode == BATCH else 1.0
    per_input, per_output = share * price.input / 1e6, share * price.output / 1e6
    return _linear(per_input, per_output, per_input)


def _linear(per_input: float, per_output: float, per_cached: float) -> PriceFunction:
    """Three rates and no tiers: 100 times as fast as the table's own function."""

    def cost(inputs: int, outputs: int, cached: int) -> float:
        cached = min(cached, inputs)
        return (inputs - cached) * per_input + outputs * per_output + cached * per_cached

    return cost


def is_student(model: str) -> bool:
    """Return whether a model is a checkpoint trained here, on the user's own server."""
    return re.fullmatch(STUDENT_PREFIX + "[0-9a-f]{12}", model) is not None


def is_free(requests: Sequence[Request]) -> bool:
    """Return whether these calls are known to cost nothing, as on the user's own server."""
    prices = Prices()
    with suppress(BadInput):
        return not any(prices.worst(request, request.endpoint.mode) for request in requests)
    return False


def describe_cost(requests: Sequence[Request]) -> str:
    """Describe about how many tokens and dollars these calls would take, at most."""
    inputs = sum(request.likely_input_tokens() for request in requests)
    outputs = sum(request.most_output_tokens() or 0 for request in requests)
    prices = Prices()
    try:
        dollars = sum(prices.worst(request, request.endpoint.mode) for request in requests)
    except BadInput as error:
        price = str(error).split(":")[0]
    else:
        price = f"at most ${dollars:.2f}"
    return f"about {inputs:,} tokens in and at most {outputs:,} out, {price}"
