"""What calls would cost, before anybody pays."""

from collections.abc import Sequence

from alpacare.errors import BadInput
from alpacare.teacher.prices import Prices
from alpacare.teacher.request import Request


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
