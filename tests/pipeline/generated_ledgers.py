"""A project whose teacher answers at random: lengths and yields are drawn from a number."""

import json
import random
import subprocess
from pathlib import Path
from typing import Any

from conftest import REPOSITORY
from tasks import FORM

from alpacare.core.settings import read_yaml
from alpacare.llm.cache_pack import Entry
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.prices import Prices
from alpacare.llm.reply import Completion
from alpacare.llm.request import Request
from alpacare.pipeline.quoting.plan import make_plans

MODEL = "gpt-4o-mini"


def link_what_git_holds(*entries: str) -> None:
    """As in a new clone: no stage has run, so nothing of what this one made counts."""
    command = ["git", "-C", REPOSITORY, "ls-files", *entries]
    for name in subprocess.run(command, check=True, capture_output=True, text=True).stdout.split():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).symlink_to(REPOSITORY / name)


def write_params(address: str = "http://127.0.0.1:9/v1", **sections: Any) -> None:
    """Write params.yaml (JSON is YAML) as checked in, with other values in some sections."""
    params = read_yaml(REPOSITORY / "params.yaml")
    params["endpoints"]["ours"] = {"base_url": address, "api_key": None, "identity": "ours"}
    for stage in ("instructions", "responses"):
        params[stage] |= {"endpoint": "ours", "model": MODEL}
    for name, values in sections.items():
        params[name] = params[name] | values if isinstance(values, dict) else values
    Path("params.yaml").write_text(json.dumps(params))


class Teacher:
    """Replies to anything at random, but the same to the same request."""

    def __init__(self, draw: random.Random) -> None:
        self.shortest, self.longest = sorted(draw.uniform(0.1, 1.0) for _ in range(2))
        self.most_tasks = draw.randint(2, 5)
        self.bytes_a_token = draw.uniform(3.0, 5.0)
        self.cut_off = draw.choice([0.0, 0.0, 0.05])  # share of the replies

    def reply(self, request: Request) -> dict[str, Any]:
        draw = random.Random(request.key())
        room = request.most_output_tokens() or 0
        cut = draw.random() < self.cut_off
        used = room if cut else round(room * draw.uniform(self.shortest, self.longest))
        size = request.most_input_tokens()
        tasks = range(draw.randint(0, self.most_tasks))
        texts = [f"Explain {draw.random()} and {draw.random()} to {draw.random()}." for _ in tasks]
        text = "\n".join(FORM.format(each) for each in texts) or "Sorry."
        choice = {"message": {"content": text}, "finish_reason": "length" if cut else "stop"}
        counts = {
            "prompt_tokens": round(size / self.bytes_a_token * draw.uniform(0.9, 1.1)),
            "completion_tokens": used,
        }
        return {"model": MODEL, "choices": [choice], "usage": counts}

    def answer_all(self) -> float:
        """Have every request answered that the pipeline makes; give what that cost, in dollars."""
        prices, paid = Prices(), 0.0
        while missing := [request for plan in make_plans() for request in plan.missing]:
            with Ledger(default_path()) as ledger, ledger.transaction():
                for request in missing:
                    paid += self._answer(request, ledger, prices)
        return paid

    def _answer(self, request: Request, ledger: Ledger, prices: Prices) -> float:
        reply, worst = self.reply(request), prices.worst(request, "online")
        completion = Completion.model_validate(reply)
        price, _ = prices.paid(request, completion, "online", worst)
        entry = Entry(
            key=request.key(),
            request=request.content(),
            response=reply,
            received="2026-01-01T00:00:00Z",
            price=price,
        )
        ledger.insert(entry)
        return price
