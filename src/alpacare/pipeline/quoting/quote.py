"""`alpacare quote`: what the pipeline would ask and pay, before anything is spent."""

import gc
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from statistics import fmean

from alpacare.core.errors import BadInput
from alpacare.llm.prices import BATCH, Prices
from alpacare.pipeline.quoting.plan import make_plans
from alpacare.pipeline.quoting.plan_estimate import Estimate
from alpacare.pipeline.quoting.stage_plan import Plan

_TOKENS_A_SECOND = 50  # of one answer, until the ledger knows better


@dataclass(frozen=True)
class Quote:
    """One plan's price in dollars. Tokens and seconds are likely values, or `bounded` the most.

    `likely` and `batch` are None while too few answers of the kind are known (usage_estimates has
    what they and `most` rest on), and all three where there is a `trouble`: no price, no server.
    """

    stage: str
    hits: int
    misses: int
    coming: int  # of the misses, those that follow from answers yet to come
    counted: bool = True  # False: too little is known, and these two are the most
    tokens_in: int = 0
    tokens_out: int = 0
    bounded: bool = False
    seconds: float = 0.0
    likely: float | None = 0.0  # in the endpoint's mode
    batch: float | None = 0.0  # and by batch
    most: float | None = 0.0
    reserved: float = 0.0  # what BUDGET has to hold above `most` for calls under way
    trouble: str = ""
    note: str = ""


def quote_all() -> list[Quote]:
    """Quote every paid stage, in pipeline order."""
    prices = Prices()
    with _without_collector():
        return [quote_plan(plan, prices) for plan in make_plans()]


@contextmanager
def _without_collector() -> Iterator[None]:
    """Do not search for reference cycles: plans have none, and it took 15 % of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def quote_plan(plan: Plan, prices: Prices) -> Quote:
    """Quote one plan."""
    coming = plan.coming.likely if plan.coming.sure else plan.coming.most
    misses = len(plan.missing) + coming
    quote = Quote(
        plan.stage, len(plan.answers), misses, coming, counted=plan.coming.sure, note=plan.note
    )
    if not (plan.missing or plan.coming.most):
        return quote
    estimate = Estimate.of(plan)
    tokens_in, tokens_out = estimate.tokens()
    quote = replace(
        quote,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        bounded=not estimate.enough,
        seconds=_seconds(plan, misses, tokens_in + tokens_out),
    )
    first = plan.examples[0]
    if first.endpoint.offline:
        return _without_price(quote, "nobody to ask: the endpoint has no server")
    try:
        prices.worst(first, mode := first.endpoint.mode)
        cost = prices.cost(first, mode)
        likely, batch = (estimate.likely(prices.cost(first, each)) for each in (mode, BATCH))
    except BadInput as error:
        return _without_price(quote, str(error))
    reserved = estimate.reserved(cost, mode == BATCH)
    return replace(quote, likely=likely, batch=batch, most=estimate.most(cost), reserved=reserved)


def _without_price(quote: Quote, trouble: str) -> Quote:
    return replace(quote, trouble=trouble, likely=None, batch=None, most=None)


def _seconds(plan: Plan, count: int, tokens: int) -> float:
    """How long the calls take at the endpoint's limits, by the speed of the calls so far."""
    first = plan.examples[0]
    calls = [answer.call.seconds for answer in plan.answers if answer.call and answer.call.seconds]
    a_call = fmean(calls) if calls else (first.most_output_tokens() or 0) / _TOKENS_A_SECOND
    endpoint = first.endpoint
    return max(
        math.ceil(count / endpoint.in_flight) * a_call,
        60 * count / (endpoint.requests_per_minute or math.inf),
        60 * tokens / (endpoint.tokens_per_minute or math.inf),
    )
