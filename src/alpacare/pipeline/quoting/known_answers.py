"""The answers that are here: in the packs of data/recordings, in the ledger, in earlier outputs."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from alpacare.core import jsonl
from alpacare.llm.cache_pack import read_pack
from alpacare.llm.client import look_up
from alpacare.llm.endpoints import RECORDINGS
from alpacare.llm.ledger import Ledger
from alpacare.llm.reply import Answer
from alpacare.llm.request import Request
from alpacare.pipeline.quoting.stage_plan import Coming, Plan
from alpacare.pipeline.quoting.usage_estimates import ENOUGH, Usage, measure

_SAMPLE = 500  # answers measured, spread evenly over a file
_NONE = Coming()


class KnownAnswers:
    """Answers by request key; a pack's come before the ledger's, as for the stages."""

    def __init__(self, ledger: Ledger, packs: Iterable[Path]) -> None:
        """Read the packs.

        Raises:
            BadInput: a pack is damaged.
        """
        self._ledger = ledger
        self._recorded = {entry.key: entry.answer() for pack in packs for entry in read_pack(pack)}

    def find(self, key: str) -> Answer | None:
        """Give the answer to a request."""
        return self._recorded.get(key) or self._ledger.get(key)

    def look_up(self, requests: Iterable[Request]) -> list[Answer | Request]:
        """Give the answer to each request, or what has to be asked for it."""
        return [look_up(request, self.find) for request in requests]

    def plan(
        self,
        stage: str,
        asked: list[Request],
        found: Sequence[Answer | Request],
        earlier: Sequence[Path],
        coming: Coming = _NONE,
        who: str = "",
    ) -> Plan:
        """Plan requests that were looked up; `earlier` are the stage's outputs of the last run."""
        pairs = zip(asked, found, strict=True)
        answered = [(request, [each]) for request, each in pairs if isinstance(each, Answer)]
        missing = {each.key(): each for each in found if isinstance(each, Request)}
        plan = Plan(
            stage, who, asked, known=answered, missing=list(missing.values()), coming=coming
        )
        return self.with_earlier(plan, earlier)

    def with_earlier(self, plan: Plan, rows: Sequence[Path]) -> Plan:
        """Where too few answers are known, add what those of the last run took, of the same model.

        They tell how long answers are when an edited prompt makes every request new.
        """
        known = [*plan.known, *plan.others]
        if not plan.examples or len(known) >= ENOUGH:
            return plan
        seen = {answer.key for _, answers in known for answer in answers}
        model = plan.examples[0].body["model"]
        return replace(plan, earlier=self._usage_of(rows, model, seen))

    def _usage_of(self, rows: Sequence[Path], model: str, seen: Collection[str]) -> list[Usage]:
        named = dict.fromkeys(key for path in rows for key in _request_keys(path))
        keys = [key for key in named if key not in seen]
        found = []
        for key in keys[:: len(keys) // _SAMPLE + 1]:
            if answer := self._ledger.get(key):
                body = self._ledger.entry(key).request["body"]
                if body.get("model") == model:
                    found.append(measure(Request(RECORDINGS, body), [answer]))
        return found


def _request_keys(path: Path) -> Iterable[str]:
    if path.exists():
        for _, row in jsonl.read_objects(path):
            for made in (row, *row.get("replies", [])):
                if key := made.get("request"):
                    yield str(key)
