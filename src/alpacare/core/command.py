"""The Click command every stage is: `--debug`, and one line instead of a traceback.

@click.command(cls=Stage)
@click.argument("seeds", type=FILE)
def main(seeds: Path) -> None: ...
"""

import os
import select
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from alpacare.core.errors import BadInput
from alpacare.core.file_lock import hold_lock
from alpacare.core.input_state import hold_inputs
from alpacare.core.lock_copy import keep_lock_copy
from alpacare.core.progress import tell_start
from alpacare.core.texts import escape_controls

STOPPED = 130  # what shells report for Ctrl-C
NOBODY_READS = 141  # and for a program whose reader has gone, as `head` does (128 + SIGPIPE)
FILE = click.Path(path_type=Path)


class OneLine(click.ClickException):
    """A failure that the user can mend: one line on stderr, exit status 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Print the line, and inside `dvc repro` where the last good outputs are."""
        click.secho(f"error: {self.message}", fg="red", err=True)
        if "DVC_STAGE" in os.environ:
            # DVC deletes a stage's outputs before it starts the stage's command.
            outputs = "`dvc checkout; git checkout metrics` brings back the last good outputs."
            click.echo(f"       {outputs}", err=True)


class OneLineUsage(click.Command):
    """A Click command that says in one line what was wrong with its arguments."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the arguments."""
        with _usage_in_one_line():
            return super().make_context(*args, **kwargs)


class Verbs(OneLineUsage, click.Group):
    """A group of commands; so is it of one that there is not."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is named."""
        with _usage_in_one_line():
            return super().resolve_command(ctx, args)


class Stage(OneLineUsage):
    """A Click command that turns `BadInput` and I/O errors into one line and status 2."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("context_settings", {"help_option_names": ["-h", "--help"]})
        super().__init__(*args, **kwargs)
        click.option(
            "--debug",
            is_flag=True,
            expose_value=False,
            callback=lambda context, _, value: context.meta.update(debug=value),
            help="Show the whole traceback of an error.",
        )(self)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; SIGTERM (`docker stop`) ends it like Ctrl-C."""
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            with _pipeline_lock(), hold_inputs(_paths(ctx.params.values())):
                result = super().invoke(ctx)
                if sys.stdout:
                    sys.stdout.flush()
                return result
        except (BadInput, OSError, SystemExit) as error:
            if _nobody_reads(error):
                ctx.exit(NOBODY_READS)
            if ctx.meta["debug"] or isinstance(error, SystemExit):
                raise
            raise OneLine(_one_line(error)) from error
        except KeyboardInterrupt as stop:  # a stage that keeps more than nothing says what
            told = str(stop) or "stopped: nothing was written; the same command starts again"
            click.echo(told, err=True)
            ctx.exit(STOPPED)


def check_files(inputs: Iterable[Path | None], outputs: Iterable[Path | None]) -> None:
    """Look at a stage's paths before it works for hours; None is an option not given.

    Raises:
        BadInput: an input is no file, as a pipe, which can be read only once; an output is a
            folder, or the same file as another or as an input.
    """
    seen = {path.resolve(): path for path in inputs if path}
    for path in seen.values():
        if path.exists() and not path.is_file():
            raise BadInput(f"{path}: is no file; name one")
    for path in filter(None, outputs):
        if path.is_dir():
            raise BadInput(f"{path}: is a folder; name a file to write")
        if path.resolve() in seen:
            raise BadInput(f"{path}: would be overwritten; name another file to write")
        seen[path.resolve()] = path


def _nobody_reads(error: BaseException) -> bool:
    """Whether the reader of stdout or stderr has gone; if so, drop what is still to be written."""
    by_rich = isinstance(error, SystemExit)  # it has led stdout elsewhere
    if not isinstance(error.__context__ if by_rich else error, BrokenPipeError):
        return False
    gone = by_rich
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with suppress(OSError, ValueError):  # a stream without a descriptor
            poll = select.poll()
            poll.register(stream.fileno(), 0)
            if any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0)):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
                gone = True
    return gone


def _paths(arguments: Iterable[Any]) -> Iterator[Path]:
    for each in arguments:
        paths = each if isinstance(each, tuple) else (each,)
        yield from (path for path in paths if isinstance(path, Path))


@contextmanager
def _pipeline_lock() -> Iterator[None]:
    """Let `dvc repro` run one stage at a time in a working tree.

    DVC's own lock knows process numbers: it does not see another container's `dvc repro`, nor a
    stage that outlived its own.
    """
    if "DVC_STAGE" not in os.environ:
        yield
        return
    folder = Path(".dvc/tmp")  # queued experiments have one each, where $DVC_ROOT is their parent's
    folder.mkdir(parents=True, exist_ok=True)
    with hold_lock(folder / "stage.lock", what="another stage of this pipeline"):
        keep_lock_copy()  # before the stage is held: what it writes would count as compared
        with tell_start(os.environ["DVC_STAGE"]):
            yield


@contextmanager
def _usage_in_one_line() -> Iterator[None]:
    """Leave out Click's block of usage, but where help was wanted: a group without a command."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        told = " ".join(error.format_message().split()).rstrip(".")
        where = f" (`{error.ctx.command_path} -h` says what it takes)" if error.ctx else ""
        raise OneLine(escape_controls(told[:1].lower() + told[1:] + where)) from None


def _one_line(error: BadInput | OSError) -> str:
    if isinstance(error, OSError) and error.filename:
        return escape_controls(f"{error.filename}: {error.strerror}")
    return escape_controls(" ".join(str(error).split()))
