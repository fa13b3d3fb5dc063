"""Progress of long work: a live bar on a terminal, a plain line now and then elsewhere."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

Advance = Callable[[int, str], None]
RowsDone = Callable[[int], object]
_PLAIN_INTERVAL = 10.0  # seconds between plain lines
_SILENCE = 4.0  # seconds without a word at the start of a stage: large libraries load meanwhile
_started = threading.Event()


def ignore_progress(rows: int) -> None:
    """Show no progress."""


@contextmanager
def tell_start(title: str) -> Iterator[None]:
    """Say every few seconds that something starts, until it shows progress or ends."""
    _started.clear()
    begun = time.monotonic()

    def tell() -> None:
        while not _started.wait(_SILENCE):
            print(f"{title} is starting: {time.monotonic() - begun:.0f} s", file=sys.stderr)

    threading.Thread(target=tell, daemon=True).start()
    try:
        yield
    finally:
        _started.set()


def track(title: str, total: int, unit: str) -> AbstractContextManager[Advance]:
    """Show progress of `total` units; call the function that it gives with (units done, a note)."""
    _started.set()
    live = sys.stderr.isatty()
    return _live(title, total, unit) if live else nullcontext(_plain(title, total, unit))


@contextmanager
def _live(title: str, total: int, unit: str) -> Iterator[Advance]:
    from rich import progress
    from rich.console import Console
    from rich.text import Text

    class Rate(progress.ProgressColumn):
        def render(self, task: progress.Task) -> Text:
            return Text(f"{task.speed:.1f}/s" if task.speed else "")

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(bar_width=20),
        progress.MofNCompleteColumn(),
        progress.TextColumn(f"{unit}  {{task.fields[note]}} "),
        Rate(),
        progress.TextColumn(" ETA"),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(title, total=total, note="")
        yield lambda units, note: bars.update(task, advance=units, note=note)


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
