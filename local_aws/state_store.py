"""Everything the stand-in remembers, in one SQLite file.

SQLite in WAL mode gives what a killed process needs: a change is there entirely or not at all, without a
format of our own. Bodies are JSON; nothing is pickled. Big contents (S3 objects, logs) are files beside it.
"""

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Document = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
  position INTEGER PRIMARY KEY AUTOINCREMENT,
  collection TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
  UNIQUE (collection, name));
CREATE TABLE IF NOT EXISTS objects (
  bucket TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (bucket, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS upload_parts (
  upload_id TEXT NOT NULL, part_number INTEGER NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (upload_id, part_number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS journal (position INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL);
"""


class AlreadyExistsError(Exception):
    """A document of that name is in the collection already."""


class StateStore:
    """Named JSON documents in collections, plus the tables of the object store and of the journal."""

    def __init__(self, path: Path):
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        # NORMAL survives the death of this process; only a power cut may lose the last moments.
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(SCHEMA)

    def close(self) -> None:
        """Fold the log into the database file and close it."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run several statements as one change; nested use joins the outer transaction."""
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield self._connection
            except BaseException:
                if outermost:
                    self._connection.execute("ROLLBACK")
                raise
            else:
                if outermost:
                    self._connection.execute("COMMIT")
            finally:
                self._depth -= 1

    def rows(self, statement: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        with self._lock:
            return self._connection.execute(statement, parameters).fetchall()

    def get(self, collection: str, name: str) -> Document | None:
        """Return the document, or None when there is none of that name."""
        rows = self.rows("SELECT body FROM documents WHERE collection = ? AND name = ?", (collection, name))
        return json.loads(rows[0][0]) if rows else None

    def insert(self, collection: str, name: str, body: Document) -> None:
        """Add a document; raises AlreadyExistsError when the name is taken."""
        with self.transaction() as connection:
            try:
                connection.execute(
                    "INSERT INTO documents (collection, name, body) VALUES (?, ?, ?)",
                    (collection, name, json.dumps(body)),
                )
            except sqlite3.IntegrityError as error:
                raise AlreadyExistsError(f"{collection} {name}") from error

    def put(self, collection: str, name: str, body: Document) -> None:
        """Add or replace a document; a replaced one keeps its place in the order."""
        with self.transaction() as connection:
            connection.execute(
                "INSERT INTO documents (collection, name, body) VALUES (?, ?, ?) "
                "ON CONFLICT (collection, name) DO UPDATE SET body = excluded.body",
                (collection, name, json.dumps(body)),
            )

    def update(self, collection: str, name: str, change: Callable[[Document], Document]) -> Document:
        """Replace a document by what `change` makes of it, in one step; raises KeyError when it is gone."""
        with self.transaction():
            body = self.get(collection, name)
            if body is None:
                raise KeyError(f"{collection} {name}")
            changed = change(body)
            self.put(collection, name, changed)
            return changed

    def delete(self, collection: str, name: str) -> bool:
        """Remove a document; says whether there was one."""
        with self.transaction() as connection:
            cursor = connection.execute(
                "DELETE FROM documents WHERE collection = ? AND name = ?", (collection, name)
            )
            return cursor.rowcount > 0

    def all(self, collection: str) -> list[Document]:
        """Return every document of a collection, oldest first."""
        rows = self.rows("SELECT body FROM documents WHERE collection = ? ORDER BY position", (collection,))
        return [json.loads(row[0]) for row in rows]

    def collections(self, prefix: str) -> list[str]:
        """Return the names of the collections that begin with `prefix`."""
        rows = self.rows("SELECT DISTINCT collection FROM documents")
        return sorted(row[0] for row in rows if row[0].startswith(prefix))

    def append_to_journal(self, body: Document) -> None:
        """Add one entry at the end of the journal."""
        with self.transaction() as connection:
            connection.execute("INSERT INTO journal (body) VALUES (?)", (json.dumps(body),))

    def journal(self) -> list[Document]:
        """Return the journal, oldest entry first."""
        return [json.loads(row[0]) for row in self.rows("SELECT body FROM journal ORDER BY position")]
