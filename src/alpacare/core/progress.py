"""Progress of long work: a live bar on a terminal, a plain line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int, str], None]
_PLAIN_INTERVAL = 10.0  # seconds between plain lines


@contextmanager
def track(title: str, total: int, unit: str) -> Iterator[Advance]:
    """Show progress of `total` units; call the yielded function with (units done, a note)."""
    if sys.stderr.isatty():
        with _live(title, total, unit) as advance:
            yield advance
    else:
        yield _plain(title, total, unit)


@contextmanager
def _live(title: str, total: int, unit: str) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.speed:.1f}/s" if task.speed else "")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn(f"{unit}  {{task.fields[note]}} "),
        Rate(),
        TextColumn(" ETA"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=total, note="")
        yield lambda units, note: progress.update(task, advance=units, note=note)


def quiet_libraries() -> None:
    """Silence transformers' own bars: one display is enough."""
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def _plain(title: str, total: int, unit: str) -> Advance:
    start = last = time.monotonic()
    done = 0

    def advance(units: int, note: str) -> None:
        nonlocal done, last
        done += units
        now = time.monotonic()
        if now - last < _PLAIN_INTERVAL and done < total:
            return
        last = now
        rate = done / (now - start) if now > start else 0.0
        eta = (total - done) / rate if rate else 0.0
        print(
            f"{title}: {done}/{total} {unit}  {note}  {rate:.1f}/s  ETA {eta:.0f} s",
            file=sys.stderr,
            flush=True,
        )

    return advance
