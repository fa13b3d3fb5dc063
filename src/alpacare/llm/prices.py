"""What calls cost, before and after: the table of genai-prices, and `prices.yaml` for the rest.

prices.yaml, dollars for a million tokens; a model that costs nothing says 0:

    my-model: {input: 0.2, output: 0.6, batch: 0.5}     # batch: share of the price in a batch
"""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path

from alpacare.core.errors import BadInput
from alpacare.core.settings import check, read_yaml
from alpacare.llm.reply import TokenCounts
from alpacare.llm.request import Price, Request

OVERRIDES = Path("prices.yaml")
BATCH = "batch"
OWN = "student-"  # and 12 hex digits: a checkpoint of ours, which costs nothing to ask
Cost = Callable[
    [int, int, int], float
]  # tokens in, tokens out, of those in from a cache -> dollars


class Prices:
    """Dollars by model; looked up once a model."""

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
        """Name the table that a call's price is from."""
        model = str(request.body["model"])
        if request.price:
            return "settings"
        if model in self.overrides:
            return str(self.path)
        return "own" if is_own(model) else self._table

    def cost(self, request: Request, mode: str) -> Cost:
        """Give what a call costs by its tokens."""
        if request.price:
            return _by_line(request.price, mode)
        return self.cost_of(str(request.body["model"]), mode)

    def worst(self, request: Request, mode: str) -> float:
        """The most that a call can cost, in dollars.

        Raises:
            BadInput: the model's price is not known, or the request has no limit of tokens.
        """
        cost = self.cost(request, mode)
        outputs = request.most_output_tokens()
        if outputs is None:
            if cost(0, 1_000_000, 0) > 0:
                raise BadInput(f"{request.label}: no max_tokens, so its price has no upper bound")
            outputs = 0
        return cost(request.most_input_tokens(), outputs, 0)

    def paid(self, request: Request, counts: TokenCounts | None, mode: str) -> float:
        """What a call cost by the server's own count; without a count its worst case."""
        if counts is None:
            return self.worst(request, mode)
        details = counts.prompt_tokens_details
        cached = (details.cached_tokens if details else None) or 0
        cost = self.cost(request, mode)
        outputs = max(counts.completion_tokens, counts.total_tokens - counts.prompt_tokens)
        return cost(counts.prompt_tokens, outputs, cached)

    def _cost_of(self, model: str, mode: str) -> Cost:
        if line := self.overrides.get(model):
            return _by_line(line, mode)
        return _linear(0.0, 0.0, 0.0) if is_own(model) else self._from_table(model, mode)

    def _unknown(self, model: str) -> BadInput:
        return BadInput(
            f"no price known for model '{model}': write it into {self.path}, in dollars for a "
            f"million tokens, say `{model}: {{input: 0.5, output: 1.5}}` (0 if it is your own)"
        )

    def _from_table(self, model: str, mode: str) -> Cost:
        from genai_prices import Usage, calc_price

        context = {"processing": "batch"} if mode == BATCH else None
        try:
            found = calc_price(Usage(input_tokens=1), model_ref=model, price_context=context)
            output = calc_price(Usage(output_tokens=1), model_ref=model, price_context=context)
        except LookupError:
            raise self._unknown(model) from None
        if not (found.total_price and output.total_price):
            raise self._unknown(model)  # zero in a table of prices means that nobody entered it
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


def _by_line(line: Price, mode: str) -> Cost:
    share = line.batch if mode == BATCH else 1.0
    per_input, per_output = share * line.input / 1e6, share * line.output / 1e6
    return _linear(per_input, per_output, per_input)


def _linear(per_input: float, per_output: float, per_cached: float) -> Cost:
    """Three rates and no tiers: 100 times as fast as the table's own sum, which matters here."""

    def cost(inputs: int, outputs: int, cached: int) -> float:
        cached = min(cached, inputs)
        return (inputs - cached) * per_input + outputs * per_output + cached * per_cached

    return cost


def is_own(model: str) -> bool:
    """Whether a name is that of a checkpoint trained here, on a server of one's own."""
    return re.fullmatch(OWN + "[0-9a-f]{12}", model) is not None


def is_free(requests: Sequence[Request]) -> bool:
    """Whether these calls are known to cost nothing, as those to a server of one's own."""
    prices = Prices()
    try:
        return not any(prices.worst(request, request.endpoint.mode) for request in requests)
    except BadInput:
        return False


def describe_cost(requests: Sequence[Request]) -> str:
    """Say about how many tokens and dollars these calls would take, at most."""
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
