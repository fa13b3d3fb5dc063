"""What the paid stages would still ask, and what that costs: planned, estimated, printed."""

from alpacare.core.public import exports

__getattr__, __all__ = exports(
    __name__,
    plan="make_plans used_keys",
    quote="quote_all",
    quote_command="print_quote",
    spending_check="check_spending",
)
