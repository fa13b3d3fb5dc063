"""What a plan will take: tokens and dollars, likely and at most; usage_estimates says how."""

from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Self

from alpacare.llm.prices import PriceFunction
from alpacare.pipeline.quoting.stage_plan import Plan
from alpacare.pipeline.quoting.usage_estimates import ENOUGH, SOME, Spread, Usage, longest_calls

_OTHER_PROMPT = 1.5  # where known answers are to another version of the prompt


@dataclass(frozen=True)
class Estimate:
    """What a plan's missing answers will take, by those that are known."""

    plan: Plan
    usage: list[Usage]  # none if too few are known for a bound
    enough: bool  # for likely values
    factor: float  # by which the bound from known answers grows

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """Choose the answers to go by."""
        usage, factor = plan.usage(), 1.0
        if len(usage) < ENOUGH and plan.earlier:
            usage, factor = usage + plan.earlier, _OTHER_PROMPT
        enough = len(usage) >= ENOUGH and plan.coming.sure
        return cls(plan, usage if len(usage) >= SOME else [], enough, factor)

    @cached_property
    def _per_byte(self) -> float:
        """Tokens in for a byte of the request."""
        return sum(each.tokens_in for each in self.usage) / sum(each.size for each in self.usage)

    @cached_property
    def _usual(self) -> list[tuple[int, int]]:
        """The likely tokens in and out of each missing answer."""
        out = round(fmean(each.tokens_out for each in self.usage))
        sizes = (request.most_input_tokens() for request in self.plan.missing)
        return [(round(size * self._per_byte), out) for size in sizes]

    @cached_property
    def _longest(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]], float]:
        """The longest calls for what is missing, for what is like that to come, and how often."""
        plan = self.plan
        missing, like = (
            [call for each in requests for call in longest_calls(each, plan.tries, plan.reminder)]
            for requests in (plan.missing, plan.coming.like)
        )
        return missing, like, plan.coming.most / max(1, len(plan.coming.like))

    def tokens(self) -> tuple[int, int]:
        """Give the likely tokens in and out, or the most where too little is known."""
        counts = (lambda tokens_in, _, __: tokens_in, lambda _, tokens_out, __: tokens_out)
        tokens_in, tokens_out = (self.likely(count) or self.most(count) for count in counts)
        return round(tokens_in), round(tokens_out)

    def likely(self, cost: PriceFunction) -> float | None:
        """Give the likely price in dollars."""
        if not self.enough:
            return None
        now = sum(cost(*tokens, 0) for tokens in self._usual)
        return min(now + self.plan.coming.likely * self._spread(cost).mean, self.most(cost))

    def bound(self, cost: PriceFunction) -> float:
        """Give the highest price that the requests allow, in dollars."""
        missing, like, times = self._longest
        return sum(cost(*call, 0) for call in missing) + times * sum(
            cost(*call, 0) for call in like
        )

    def reserved(self, cost: PriceFunction, batch: bool) -> float:
        """Give what a budget has to hold above `most` for calls under way: one, or a batch."""
        missing, like, _ = self._longest
        above = self.bound(cost) - self.most(cost)
        return above if batch else min(above, max(cost(*call, 0) for call in (*missing, *like)))

    def most(self, cost: PriceFunction) -> float:
        """Give the highest price in dollars."""
        bound = self.bound(cost)
        if not self.usage:
            return bound
        later, spread = self.plan.coming.most, self._spread(cost)
        now = sum(cost(*tokens, 0) for tokens in self._usual)
        margin = spread.margin(len(self.plan.missing) + later)
        return min(bound, self.factor * (now + later * spread.mean + margin))

    def _spread(self, cost: PriceFunction) -> Spread:
        return Spread.of([cost(each.tokens_in, each.tokens_out, 0) for each in self.usage])
