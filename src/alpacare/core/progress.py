"""Progress of long work: a live bar on a terminal, a plain line every ten seconds elsewhere."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

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


def end_start() -> None:
    """Have `tell_start` say no more: what has started shows progress, here or in its workers."""
    _started.set()


def track(title: str, total: int, unit: str, before: int = 0) -> AbstractContextManager[Advance]:
    """Show progress of `total` units; call the function that it gives with (units done, a note).

    `before`: units that an earlier run has done; they do not count in the rate.
    """
    end_start()
    show = _live if sys.stderr.isatty() else _plain
    return show(title, total, unit, before)


@contextmanager
def _live(title: str, total: int, unit: str, before: int) -> Iterator[Advance]:
    from rich import progress
    from rich.console import Console
    from rich.text import Text

    class Rate(progress.ProgressColumn):
        def render(self, task: progress.Task) -> Text:
            return Text(f"{task.speed:.1f}/s" if task.speed else "")

    columns = (
        progress.SpinnerColumn(),
        progress.TextColumn("{task.description}"),
        progress.BarColumn(bar_width=20),
        progress.MofNCompleteColumn(),
        progress.TextColumn(f"{unit}  {{task.fields[note]}} "),
        Rate(),
        progress.TextColumn(" ETA"),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(title, total=total, completed=before, note="")
        yield lambda units, note: bars.update(task, advance=units, note=note)


@contextmanager
def _plain(title: str, total: int, unit: str, before: int) -> Iterator[Advance]:
    lines = _Lines(title, total, unit, before)
    threading.Thread(target=lines.repeat, daemon=True).start()
    try:
        yield lines.advance
    finally:
        lines.ended.set()


class _Lines:
    """Plain lines: one every ten seconds, also when nothing gets done, and one at the end."""

    def __init__(self, title: str, total: int, unit: str, before: int) -> None:
        self.title, self.total, self.unit = title, total, unit
        self.start = self.last = time.monotonic()
        self.before, self.done, self.note = before, before, ""
        self.ended, self.lock = threading.Event(), threading.Lock()

    def advance(self, units: int, note: str) -> None:
        """Count units, and print a line if it is time for one, or they are the last."""
        with self.lock:
            self.done, self.note = self.done + units, note
            if self.done >= self.total or time.monotonic() - self.last >= _PLAIN_INTERVAL:
                self._print()

    def repeat(self) -> None:
        """Print a line when there was none for so long."""
        while not self.ended.wait(max(0.1, self.last + _PLAIN_INTERVAL - time.monotonic())):
            with self.lock:
                if time.monotonic() - self.last >= _PLAIN_INTERVAL and not self.ended.is_set():
                    self._print()

    def _print(self) -> None:
        self.last = time.monotonic()
        seconds = self.last - self.start
        rate = (self.done - self.before) / seconds if seconds else 0.0
        left = f"{rate:.1f}/s  ETA {(self.total - self.done) / rate:.0f} s" if rate else ""
        print(
            f"{self.title}: {self.done}/{self.total} {self.unit}  {self.note}  "
            f"{left or f'{seconds:.0f} s so far'}",
            file=sys.stderr,
            flush=True,
        )
