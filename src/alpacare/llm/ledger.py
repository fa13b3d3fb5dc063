"""The ledger: every LLM answer ever received, by the content of its request.

One SQLite file in WAL mode, which all worktrees and queued experiments of a clone share. An answer
is committed the moment it arrives, with a digest that shows damage.
"""

import hashlib
import json
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alpacare.core.errors import BadInput
from alpacare.llm.cache_pack import Entry
from alpacare.llm.ledger_folder import find_ledger_folder
from alpacare.llm.reply import Answer, Call
from alpacare.llm.reply_reader import read_stored
from alpacare.llm.unread_adoption import adopt

_VERSION = 4
_DISK_FULL = 64 << 10  # bytes free; with less, SQLite calls a full disk an I/O error
_LOCK_TIMEOUT = 60.0  # seconds to wait for another process's lock
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    key TEXT PRIMARY KEY, request TEXT, response TEXT, received TEXT, price REAL,
    call TEXT, digest TEXT, paid_here INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS key_copies ON entries (key || '');
CREATE TABLE IF NOT EXISTS calls (key TEXT PRIMARY KEY, worst REAL, sent TEXT);
CREATE TABLE IF NOT EXISTS money (spent REAL, unsure REAL, lost INTEGER);
CREATE TABLE IF NOT EXISTS batches (name TEXT PRIMARY KEY, endpoint TEXT, id TEXT, sent TEXT);
CREATE TABLE IF NOT EXISTS items (key TEXT PRIMARY KEY, batch TEXT, request TEXT, worst REAL);
CREATE TABLE IF NOT EXISTS unread (
    id INTEGER PRIMARY KEY, key TEXT, request TEXT, reply BLOB, charset TEXT, received TEXT,
    price REAL, call TEXT, own_price TEXT, problem TEXT, waiting INTEGER, digest TEXT, reader TEXT
);
CREATE INDEX IF NOT EXISTS unread_keys ON unread (key);
CREATE TABLE IF NOT EXISTS corrections (
    key TEXT, corrected TEXT, who TEXT, before REAL, after REAL, why TEXT
);
"""

_FIND_COPY = "SELECT 1 FROM entries INDEXED BY key_copies WHERE key || '' = ?"


def default_path() -> Path:
    """Give the path of the ledger; errors as `find_ledger_folder`."""
    return find_ledger_folder() / "ledger.sqlite"


class Ledger:
    """Answers by request key; safe for several processes at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.touch()  # by the umask; SQLite would never let a group write
        # autocommit, synced: a committed answer survives a power cut. SQLite's thread check is off,
        # because one writer thread at a time uses it, see ledger_writer.py.
        self.connection = sqlite3.connect(
            path, timeout=_LOCK_TIMEOUT, isolation_level=None, check_same_thread=False
        )
        with self.readable():
            self._use_wal()
            self.connection.execute("PRAGMA synchronous=FULL")
            self._create()
            adopt(self)

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    @contextmanager
    def readable(self) -> Iterator[None]:
        """Turn SQLite's errors into one line that names the file."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            problem = (
                f"{error}; if it is damaged, `alpacare ledger export PACK` saves what can be "
                "read: then move the ledger away and import that pack and your others"
            )
            if "full" in str(error) or shutil.disk_usage(self.path.parent).free < _DISK_FULL:
                problem = (
                    "the disk is full; free some space and give the same command again: "
                    "what was received before is safe"
                )
            elif "locked" in str(error):
                waited = f"another process has been writing for {_LOCK_TIMEOUT:.0f} s"
                problem = f"{waited}; wait for it to end, or stop it"
            raise BadInput(f"{self.path}: {problem}") from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all that the block does, or nothing."""
        with self.readable():
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self.connection.in_transaction:  # a full disk has ended it already
                    self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")

    def get(self, key: str) -> Answer | None:
        """Look up one answer.

        Raises:
            BadInput: it is there, but damaged.
        """
        with self.readable():
            sql = "SELECT response, price, call, digest FROM entries WHERE key = ?"
            row = self.connection.execute(sql, (key,)).fetchone()
            # a damaged key would look like a missing answer
            if not row and self.connection.execute(_FIND_COPY, (key,)).fetchone():
                raise self._damaged(key)
        if not row:
            return None
        response, price, call, digest = row
        if _digest(key, response) != digest:
            raise self._damaged(key)
        try:
            completion, odd = read_stored(response)
            known = Call.model_validate_json(call) if call else None
        except ValueError as error:
            raise self._damaged(key) from error
        return Answer.from_completion(key, completion, price, known, odd)

    def import_entries(self, entries: Iterable[Entry]) -> dict[str, Answer]:
        """Commit a pack's entries, all or none; return those that the ledger answers otherwise."""
        different = {}
        with self.transaction():
            for entry in entries:
                if not self.insert(entry) and self.get(entry.key) != (answer := entry.answer()):
                    different[entry.key] = answer
        return different

    def insert(self, entry: Entry, *, paid_here: bool = False) -> bool:
        """Add one entry within a transaction; False if the request is answered already.

        `paid_here`: its price is part of what this ledger has paid.
        """
        response = json.dumps(entry.response)
        values = (
            entry.key,
            json.dumps(entry.request),
            response,
            entry.received,
            entry.price,
            entry.call.model_dump_json() if entry.call else None,
            _digest(entry.key, response),
            paid_here,
        )
        sql = "INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        return self.connection.execute(sql, values).rowcount > 0

    def entries(self) -> Iterator[Entry]:
        """Yield every entry, in the order of keys.

        Raises:
            BadInput: an entry is damaged.
        """
        yield from map(self.entry, list(self.all_keys()))

    def all_keys(self) -> Iterator[str]:
        """Yield every key, in order."""
        with self.readable():
            for (key,) in self.connection.execute("SELECT key FROM entries ORDER BY key"):
                yield key

    def entry(self, key: str) -> Entry:
        """Read a whole entry; errors as `get`."""
        self.get(key)
        sql = "SELECT request, response, received, price, call FROM entries WHERE key = ?"
        request, response, received, price, call = self.connection.execute(sql, (key,)).fetchone()
        return Entry(
            key=key,
            request=json.loads(request),
            response=json.loads(response),
            received=received,
            price=price,
            call=Call.model_validate_json(call) if call else None,
        )

    def check(self) -> None:
        """Compare every entry with its digest.

        Raises:
            BadInput: an entry is damaged.
        """
        with self.readable():
            self.run_check("quick_check(1)")
            rows = self.connection.execute("SELECT key, response, digest FROM entries")
            for key, response, digest in rows:
                if _digest(key, response) != digest:
                    raise self._damaged(key)

    def run_check(self, pragma: str) -> None:
        """Run one of SQLite's own checks of the file; within `readable`."""
        (result,) = self.connection.execute(f"PRAGMA {pragma}").fetchone()
        if result != "ok":
            raise sqlite3.DatabaseError(result)

    def _damaged(self, key: str) -> BadInput:
        return BadInput(f"{self.path}: entry {key[:12]} is damaged; run `alpacare ledger verify`")

    def _use_wal(self) -> None:
        """Switch to WAL; only here SQLite does not wait for another process that does the same."""
        deadline = time.monotonic() + _LOCK_TIMEOUT
        while True:
            try:
                self.connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    def _create(self) -> None:
        (version,) = self.connection.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise BadInput(f"{self.path}: written by a newer alpacare; update this one")
        if version == _VERSION:
            return
        self.connection.execute("BEGIN IMMEDIATE")
        columns = [row[1] for row in self.connection.execute("PRAGMA table_info(entries)")]
        if columns and "digest" not in columns:  # a ledger of version 1
            self.connection.execute("ALTER TABLE entries ADD COLUMN call TEXT")
            self.connection.execute("ALTER TABLE entries ADD COLUMN digest TEXT")
            self.connection.create_function("digest", 2, _digest)
            self.connection.execute("UPDATE entries SET digest = digest(key, response)")
        if columns and "paid_here" not in columns:  # of version 2: all count as paid here
            self.connection.execute("ALTER TABLE entries ADD COLUMN paid_here INTEGER DEFAULT 1")
        for statement in _SCHEMA.split(";"):
            self.connection.execute(statement)
        if not self.connection.execute("SELECT 1 FROM money").fetchone():
            self.connection.execute("INSERT INTO money VALUES (0, 0, 0)")
        self.connection.execute(f"PRAGMA user_version = {_VERSION}")
        self.connection.execute("COMMIT")


def _digest(key: str, response: str) -> str:
    return hashlib.sha256(f"{key}\n{response}".encode()).hexdigest()[:16]
