"""A working tree's own ledger, while another one is in use: its answers are paid for, too.

It has one if it is a Git worktree that an earlier version worked in, or if ALPACARE_LEDGER has been
set since.
"""

import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from alpacare.core.errors import BadInput
from alpacare.core.texts import counted
from alpacare.llm.ledger import Ledger, default_path
from alpacare.llm.ledger_folder import VARIABLE, own_ledger_folder
from alpacare.llm.request import Request
from alpacare.llm.reservations import read_budget


class _Unused(NamedTuple):
    """Keys of requests that only the tree's own ledger knows."""

    answered: set[str]
    in_batches: set[str]  # paid for, and not collected yet


def describe_unused() -> str:
    """Say that the tree's own ledger has answers that the one in use lacks, and how to add them.

    "" if there are none.
    """
    unused = _find_unused()
    return _describe(unused) if any(unused) else ""


def check_unused() -> str:
    """Give the same line.

    Raises:
        BadInput: with money to spend, it is an error: those answers would be paid for again.
    """
    line = describe_unused()
    if line and read_budget() is not None:
        raise BadInput(line)
    return line


def refuse_known(missing: Iterable[Request]) -> None:
    """Check that the tree's own ledger answers none of these requests.

    Raises:
        BadInput: it does.
    """
    unused = _find_unused()
    known = unused.answered | unused.in_batches
    if any(request.key() in known for request in missing):
        raise BadInput(_describe(unused))


def _find_unused() -> _Unused:
    own, used = _own_path(), default_path()
    if not own.exists() or (used.exists() and own.samefile(used)):
        return _Unused(set(), set())
    with Ledger(own) as ledger, ledger.readable():
        answered = set(ledger.all_keys())
        in_batches = {key for (key,) in ledger.connection.execute("SELECT key FROM items")}
    if used.exists():
        with Ledger(used) as ledger:
            answered -= set(ledger.all_keys())
    return _Unused(answered, in_batches)


def _own_path() -> Path:
    return own_ledger_folder() / default_path().name


def _describe(unused: _Unused) -> str:
    use_own = f"{VARIABLE}={shlex.quote(str(own_ledger_folder().absolute()))}"
    batches = (
        f", and {len(unused.in_batches):,} in batches under way, which `make repro` with {use_own} "
        "collects"
        if unused.in_batches
        else ""
    )
    return (
        f"{_own_path()}: has {counted(len(unused.answered), 'answer')} that the ledger in use, "
        f"{default_path()}, lacks{batches}; "
        f"add them: {use_own} alpacare ledger export own.jsonl && alpacare ledger import own.jsonl"
    )
