"""Usage of one run at its servers: shown while it runs, appended to runs.jsonl when it ends."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from alpacare.core.progress import Advance, track
from alpacare.core.texts import counted
from alpacare.llm.reply import Answer
from alpacare.llm.unread import UnreadReply, describe_problem


@dataclass
class RunUsage:
    """Counts of one run; `left` is what the budget still allows, in dollars."""

    stage: str
    requests: int
    hits: int
    left: float
    calls: int = 0
    dollars: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    in_flight: int = 0
    waiting: str = ""
    retries: Counter[str] = field(default_factory=Counter)
    finish_reasons: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)  # replies by what was odd in them
    rejected: list[str] = field(default_factory=list)
    lost: int = 0
    _start: float = field(default_factory=time.monotonic)
    _advance: Advance | None = None

    @contextmanager
    def progress(self, total: int) -> Iterator[None]:
        """Show progress of `total` answers to come while the block runs."""
        with track(self.stage, total, "answers") as self._advance:
            yield

    def add_answer(self, answer: Answer, wanted: bool = True) -> None:
        """Count an answer that was paid for; if no stage asks for it now, only what it cost."""
        self.calls += wanted
        self.dollars += answer.price or 0.0
        self.left -= answer.price or 0.0
        self.tokens_in += answer.tokens_in
        self.tokens_out += answer.tokens_out
        self.finish_reasons[answer.finish_reason] += 1
        self.warnings.update(answer.warnings)
        self.update_progress(int(wanted))

    def add_failure(self, kind: str, unsure: float) -> None:
        """Count a failed try, and what it may have cost."""
        self.retries[kind] += 1
        self.left -= unsure
        self.update_progress(0)

    def add_unread(self, reply: UnreadReply, wanted: bool = True) -> None:
        """Count a reply of a batch that cannot be read, and what it may have cost."""
        if wanted:
            self.rejected.append(f"{reply.key[:12]}: {describe_problem(reply.problem)}")
        self.add_failure("broken body", reply.price)

    def add_hit(self) -> None:
        """Count an answer that another process received meanwhile."""
        self.hits += 1
        self.update_progress(1)

    def update_progress(self, done: int) -> None:
        """Advance the progress display."""
        if not self._advance:
            return
        tokens = (self.tokens_in + self.tokens_out) / 1000
        parts = [
            self.waiting,
            f"{self.in_flight} in flight",
            f"{tokens:,.0f}k tokens",
            f"${self.dollars:.2f} paid, ${max(self.left, 0):.2f} left",
            counted(self.retries.total(), "retry", "retries") if self.retries else "",
            f"{len(self.rejected)} failed" if self.rejected else "",
        ]
        self._advance(done, " · ".join(part for part in parts if part))

    def describe_warnings(self) -> str:
        """Describe in one line what was odd in the replies; "" if nothing was."""
        if not self.warnings:
            return ""
        odd = ", ".join(f"{name} {count:,}" for name, count in sorted(self.warnings.items()))
        return f"warning: replies that are not as they should be, and are used: {odd}"

    def append_to(self, path: Path) -> None:
        """Append this run's line to `path`; on a full disk the run's own error says more."""
        with suppress(OSError), path.open("a", encoding="utf-8") as file:
            report = {
                "stage": self.stage,
                "requests": self.requests,
                "hits": self.hits,
                "calls": self.calls,
                "retries": dict(sorted(self.retries.items())),
                "finish_reasons": dict(sorted(self.finish_reasons.items())),
                "warnings": dict(sorted(self.warnings.items())),
                "rejected": len(self.rejected),
                "lost_in_flight": self.lost,
                "tokens_in": self.tokens_in,
                "tokens_out": self.tokens_out,
                "dollars": round(self.dollars, 6),
                "seconds": round(time.monotonic() - self._start, 3),
            }
            file.write(json.dumps(report) + "\n")
