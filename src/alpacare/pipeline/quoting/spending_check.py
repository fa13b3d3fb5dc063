"""Whether what would be asked can be asked: servers, keys, BUDGET, prices.

A stage that finds out by itself does so when DVC has deleted its outputs.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from alpacare.core.errors import BadInput
from alpacare.core.texts import counted
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.prices import Prices
from alpacare.llm.request import Request
from alpacare.llm.reservations import Reservations, read_budget
from alpacare.llm.unread import waiting_keys
from alpacare.pipeline.changes import may_run
from alpacare.pipeline.params import Params
from alpacare.pipeline.quoting.plan import make_plans
from alpacare.pipeline.quoting.quote import quote_plan
from alpacare.pipeline.quoting.quote_text import round_up, total
from alpacare.pipeline.quoting.stage_plan import Plan

# judges are asked in two stages, and planned as one
_STAGES = {"judgments": {"judgments", "contestant_judgments"}}
_LARGE = 50_000_000  # bytes of a ledger with which a plan takes longer than to ask DVC


def teacher_examples(params: Params) -> dict[str, list[Request]]:
    """Give a request like those of each stage that asks the teacher."""
    both = {"instructions": params.instructions, "responses": params.responses}
    return {
        stage: [settings.request(params.endpoints[settings.endpoint], [], label=stage)]
        for stage, settings in both.items()
    }


def check_spending(examples: Mapping[str, Sequence[Request]], stages: Collection[str]) -> None:
    """Check that the missing answers of `stages` can be bought, as far as these would run.

    `examples` has a request to each model, by stage.

    Raises:
        BadInput: they cannot: how many there are, what they cost at most, and what is lacking.
    """
    obstacles = _Obstacles()
    hindered = [
        stage
        for stage, requests in examples.items()
        if not _run_in([stage]).isdisjoint(stages)
        and (obstacles.unread or any(map(obstacles.of, requests)))
    ]
    if not hindered or (_is_large() and not may_run(_run_in(hindered))):
        return
    blocked = [plan for plan in make_plans() if plan.stage in hindered and obstacles.block(plan)]
    if blocked and may_run(_run_in(plan.stage for plan in blocked)):
        raise BadInput(obstacles.describe(blocked))


def _run_in(planned: Iterable[str]) -> set[str]:
    """Give the stages of dvc.yaml that ask what is planned under these names."""
    return {stage for name in planned for stage in _STAGES.get(name, {name})}


def _is_large() -> bool:
    path = default_path()
    return path.exists() and path.stat().st_size > _LARGE


class _Obstacles:
    """What keeps a request from being sent."""

    def __init__(self) -> None:
        self._budget = read_budget()
        self._prices = Prices()
        with Ledger(default_path()) as ledger:
            self._spending = Reservations(ledger).spending()
            self.unread = waiting_keys(ledger)  # whose replies are kept and cannot be read

    def of(self, request: Request) -> str:
        """Name what is lacking; "" if nothing is."""
        if request.endpoint.offline:
            return (
                "their endpoint has no server: undo the change of prompt, seed or settings, or "
                "name a server"
            )
        return "; ".join(filter(None, (self._key(request), self._money(request))))

    def block(self, plan: Plan) -> bool:
        """Whether a plan has something to ask that cannot be asked."""
        examples = plan.examples
        return bool(plan.to_ask and examples and (self.of(examples[0]) or self._unread(plan)))

    def describe(self, plans: Sequence[Plan]) -> str:
        """Say how many answers are missing, what they cost at most, and what is lacking."""
        quotes = [quote_plan(plan, self._prices) for plan in plans]
        counts = dict.fromkeys((plan.stage for plan in plans), 0)
        for plan in plans:
            counts[plan.stage] += plan.to_ask
        parts = ", ".join(f"{stage} {count:,}" for stage, count in counts.items())
        most = round_up(total(quotes, "most"))
        told = "" if most is None else f", at most ${most:,.2f}"
        requests = (plan.examples[0] for plan in plans)
        reasons = [*map(self.of, requests), *map(self._unread, plans)]
        lacking = "; ".join(filter(None, dict.fromkeys(reasons)))
        return f"{counted(sum(counts.values()), 'answer')} missing ({parts}){told}: {lacking}"

    def _unread(self, plan: Plan) -> str:
        if not any(request.key() in self.unread for request in plan.missing):
            return ""
        return (
            "replies that were paid for cannot be read (`alpacare ledger unread` shows them); "
            "`alpacare ledger ask-again` lets the same command pay for them again"
        )

    def _key(self, request: Request) -> str:
        try:
            request.endpoint.read_key()
        except BadInput as error:
            return str(error)
        return ""

    def _money(self, request: Request) -> str:
        try:
            free = not self._prices.worst(request, request.endpoint.mode)
        except BadInput as error:
            return str(error)
        if free:
            return ""
        if self._budget is None:
            return "BUDGET is not set (`make quote` says what to set)"
        if self._spending.upper_bound >= self._budget:
            return f"BUDGET=${self._budget:g} is used up: {self._spending.describe()}"
        return ""
