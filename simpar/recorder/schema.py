"""The tables of a run store, and what a file must be to be one.

One SQLite database per run. The tables are the contract between training and everything that looks at it later: to
change them, raise ``SCHEMA_VERSION``. Tuples and layouts stand as JSON; ``steps.times`` is float64, little-endian, one
pair (start, end) for each row of ``collectives`` of that program and rank, or NULL in old steps, which forget them.
``sources`` (since version 2) has programs as they were before they were cut: compressed JSON, see ``partition``.
``slice_values`` (since version 3) keeps histograms as JSON, and tiles, of ``tile_shape``, as float32, little-endian.
"""

import sqlite3
import struct
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from simpar.errors import RunStoreError

__all__ = ["APPLICATION_ID", "SCHEMA_VERSION", "STORE_NAME", "TABLES", "check_file", "check_schema", "store_errors"]

STORE_NAME = "run.sqlite"
SCHEMA_VERSION = 3
APPLICATION_ID = 0x73696D70  # "simp", in the header of the file

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE ranks (rank INTEGER PRIMARY KEY, host TEXT, pid INTEGER, wall_s REAL, clock_s REAL);
CREATE TABLE parameters (
    id INTEGER PRIMARY KEY, name TEXT UNIQUE, kind TEXT, shape TEXT, dtype TEXT, storage TEXT, compute TEXT,
    slice_shape TEXT, slice_bytes INTEGER, comm_fusion INTEGER, flags TEXT);
CREATE TABLE programs (
    id INTEGER PRIMARY KEY, program TEXT UNIQUE, digest TEXT, plan TEXT, graph_values TEXT, graph_nodes TEXT);
CREATE TABLE sources (program TEXT PRIMARY KEY, source BLOB) WITHOUT ROWID;
CREATE TABLE program_ranks (program TEXT, rank INTEGER, peak_bytes INTEGER, PRIMARY KEY (program, rank)) WITHOUT ROWID;
CREATE TABLE collectives (
    program TEXT, rank INTEGER, row INTEGER, kind TEXT, ranks TEXT, message_bytes INTEGER, cause TEXT, fusion INTEGER,
    parameters TEXT, phase TEXT, PRIMARY KEY (program, rank, row)) WITHOUT ROWID;
CREATE TABLE steps (
    id INTEGER PRIMARY KEY, rank INTEGER, program TEXT, step INTEGER, start_s REAL, end_s REAL, loss REAL, times BLOB);
CREATE INDEX steps_by_rank ON steps (rank, step);
CREATE TABLE scalars (id INTEGER PRIMARY KEY, rank INTEGER, name TEXT, step INTEGER, value REAL);
CREATE TABLE memory (
    id INTEGER PRIMARY KEY, rank INTEGER, step INTEGER, rss_bytes INTEGER, pss_bytes INTEGER, planned_bytes INTEGER);
CREATE TABLE slice_values (
    program TEXT, parameter TEXT, step INTEGER, rank INTEGER, minimum REAL, maximum REAL, mean REAL, std REAL,
    norm REAL, nans INTEGER, infinities INTEGER, histogram TEXT, tile_shape TEXT, tile BLOB,
    PRIMARY KEY (parameter, program, step, rank));
CREATE INDEX slice_values_by_step ON slice_values (program, step);
CREATE TABLE checksums (id INTEGER PRIMARY KEY, rank INTEGER, parameter TEXT, step INTEGER, digest TEXT);
CREATE TABLE failures (id INTEGER PRIMARY KEY, rank INTEGER, error TEXT, message TEXT, traceback TEXT);
"""

_MAGIC = b"SQLite format 3\0"
_PAGE_SIZE_AT, _PAGES_AT, _HEADER_BYTES = 16, 28, 100  # the database header, sqlite.org/fileformat.html section 1.3


def check_file(path: Path) -> None:
    """Check, without opening it as a database, that a file can be one and is all there.

    Raises:
        RunStoreError: it does not exist, is empty, is something else, or its end is missing.
    """
    if not path.is_file():
        raise RunStoreError(f"there is no run store {path}. List what there is with `simpar runs`.")
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    size = path.stat().st_size
    if not head:
        raise RunStoreError(f"{path} is empty: the run ended before its store was made. Delete it and run again.")
    if not head.startswith(_MAGIC):
        raise RunStoreError(
            f"{path} is not a run store: it starts with {head[:16]!r}, not {_MAGIC!r}. Give the {STORE_NAME} of a run."
        )
    whole = _whole_size(head)
    if size < whole:
        raise RunStoreError(
            f"{path} is cut short: it has {size} bytes of {whole}. Copy it again, with its -wal file beside it, "
            f"from the machine that ran the training."
        )


def _whole_size(head: bytes) -> int:
    """Return the bytes that a database says, in its header, that it has."""
    if len(head) < _HEADER_BYTES:
        return _HEADER_BYTES
    (page,) = struct.unpack_from(">H", head, _PAGE_SIZE_AT)
    (pages,) = struct.unpack_from(">I", head, _PAGES_AT)
    return (65536 if page == 1 else page) * pages


def check_schema(database: sqlite3.Connection, path: Path) -> None:
    """Check that an open database is a run store that this version reads.

    Raises:
        RunStoreError: another program's database, or a later version's.
    """
    (application,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        raise RunStoreError(f"{path} is a SQLite database of another program. Give the {STORE_NAME} of a simpar run.")
    if version > SCHEMA_VERSION:
        raise RunStoreError(
            f"{path} has schema version {version}, this simpar reads up to {SCHEMA_VERSION}. A later version wrote it: "
            f"upgrade simpar to read it."
        )


@contextmanager
def store_errors(path: Path) -> Generator[None]:
    """Turn what SQLite says about a file into a ``RunStoreError`` that says what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise RunStoreError(
                f"{path} is locked by another program. Close what has it open (a database browser, a backup), then "
                f"try again."
            ) from error
        raise RunStoreError(f"{path} could not be used: {error}. Check its permissions and the free space.") from error
    except sqlite3.DatabaseError as error:
        raise RunStoreError(
            f"{path} is damaged: {error}. Copy it again, with its -wal file, or run the training again."
        ) from error
