"""What calls would cost, before anybody pays."""

from collections.abc import Sequence

from alpacare.teacher.request import Request

_CHARACTERS_PER_TOKEN = 4  # English prose under BPE; an estimate, the server's usage is the truth


def describe_cost(requests: Sequence[Request]) -> str:
    """Say about how many tokens and dollars these calls would take, at most."""
    inputs = sum(_input_tokens(request) for request in requests)
    outputs = sum(int(request.body["max_tokens"]) for request in requests)
    model = str(requests[0].body["model"])
    dollars = _dollars(model, inputs, outputs)
    price = f"no price known for '{model}'" if dollars is None else f"at most ${dollars:.2f}"
    return f"about {inputs:,} tokens in and at most {outputs:,} out, {price}"


def _input_tokens(request: Request) -> int:
    characters = sum(len(message["content"]) for message in request.body["messages"])
    return characters // _CHARACTERS_PER_TOKEN


def _dollars(model: str, inputs: int, outputs: int) -> float | None:
    from genai_prices import Usage, calc_price

    try:
        usage = Usage(input_tokens=inputs, output_tokens=outputs)
        return float(calc_price(usage, model_ref=model).total_price)
    except LookupError:
        return None
