"""Where studies live: SQLite, looked after so that deleted films do not linger in it, or any URL of SQLAlchemy."""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    InternalError,
    NoSuchModuleError,
    OperationalError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase

from app.config import SettingError
from app.segmentation.errors import PleuraError

BUSY_SECONDS = 15
"""How long one process waits for another's transaction on SQLite, where its URL names no `timeout`."""
ANSWER_SECONDS = 15
"""How long PostgreSQL may take over one statement, and over taking a connection: then films are refused, not hung.

Where its URL or libpq's variables say otherwise, they count."""

PAGES_AT_ONCE = 2048
"""Of 4 KiB."""

DISK_FULL = "53100"
"""PostgreSQL's SQLSTATE."""


OUTAGES = (OperationalError, InterfaceError, InternalError, ProgrammingError, PoolTimeoutError)
"""What a driver raises where no value is to blame: the server, its tables or our rights are gone, or it only reads."""

logger = logging.getLogger(__name__)


class StorageFullError(PleuraError):
    """There is no room left to keep a film."""

    code = "storage_full"


class StorageUnavailableError(PleuraError):
    """The database does not answer, or not as it should."""

    code = "storage_unavailable"


class Base(DeclarativeBase):
    """The application's tables."""


def default_url(instance_folder: Path) -> str:
    """Name the SQLite database in a folder of ours alone."""
    instance_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return f"sqlite:///{instance_folder / 'studies.sqlite'}"


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite database; None if it is none, or lies in memory."""
    parsed = make_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def open_database(url: str) -> Engine:
    """Connect to a database; a SQLite file is created if need be, readable by its owner alone.

    On SQLite, deleted rows are overwritten (`secure_delete`), their space can be given back (`auto_vacuum`), and
    several processes may read while one writes (`journal_mode=WAL`). SQLite gives the files beside the database the
    database's own mode. Errors are logged without a statement's values, among them the name of a patient's file.

    Raises:
        SettingError: If it is SQLite's own memory, which each thread would have for itself.
    """
    file = sqlite_file(url)
    if make_url(url).get_backend_name() == "sqlite" and (file is None or file.name == ":memory:"):
        raise SettingError("PLEURA_DATABASE_URL must name SQLite's file: sqlite:////FOLDER/studies.sqlite.")
    if file is None:
        return create_engine(
            url, connect_args=_patience(url), pool_pre_ping=True, pool_timeout=ANSWER_SECONDS, hide_parameters=True
        )
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    os.chmod(file, 0o600)  # also where the file is older than this process
    waiting = {} if "timeout" in make_url(url).query else {"timeout": BUSY_SECONDS}
    engine = create_engine(url, connect_args=waiting, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _configure(connection, _record) -> None:
        # auto_vacuum counts before the first table is made; an older file gets it by `VACUUM`, in `migrate`.
        for pragma in ("auto_vacuum=INCREMENTAL", "journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _patience(url: str) -> dict[str, object]:
    """Say how long PostgreSQL may take, by arguments of its driver: they replace the URL's, and libpq's variables."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "postgresql":
        return {}
    ours = f"-c statement_timeout={1000 * ANSWER_SECONDS} -c lock_timeout={1000 * ANSWER_SECONDS}"
    theirs = parsed.query.get("options", os.environ.get("PGOPTIONS", ""))
    seconds = parsed.query.get("connect_timeout", os.environ.get("PGCONNECT_TIMEOUT", ANSWER_SECONDS))
    return {"connect_timeout": seconds, "options": f"{ours} {theirs}"}  # of two values the latter counts


@contextmanager
def opening_named() -> Iterator[None]:
    """Turn what goes wrong while a database is opened into a sentence for the operator, without its password.

    Raises:
        SettingError: If its address is none, or nothing can be opened there.
    """
    try:
        yield
    except SettingError:
        raise
    except (SQLAlchemyError, ImportError, OSError, ValueError) as error:
        reason = str(getattr(error, "orig", error)).split("\n", 1)[0]
        if isinstance(error, ArgumentError | ValueError) and not isinstance(error, NoSuchModuleError):
            reason = "it must be like sqlite:////FOLDER/FILE or postgresql+psycopg://NAME:PASSWORD@HOST/DATABASE"
        raise SettingError(f"PLEURA_DATABASE_URL opens no database: {reason}.") from error


@contextmanager
def failures_named() -> Iterator[None]:
    """Turn what a database driver raises into an error with a sentence. Usable as a decorator, too.

    Raises:
        StorageFullError: If the disk is full.
        StorageUnavailableError: If the database does not answer, or has lost its tables.
    """
    try:
        yield
    except OUTAGES as error:
        logger.error("The database failed: %s", error)
        if is_full(error):
            raise StorageFullError("The server's disk is full. Delete films that you do not need, or wait.") from error
        raise StorageUnavailableError("The server's database does not answer. Try again in a while.") from error


def is_full(error: SQLAlchemyError) -> bool:
    """Whether a failure means that the disk is full."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    return "disk is full" in str(cause) or getattr(cause, "sqlstate", None) == DISK_FULL


def erase_log(engine: Engine) -> None:
    """Empty SQLite's write-ahead log, which still holds the pages of deleted rows."""
    _at_once(engine, "PRAGMA wal_checkpoint(TRUNCATE)")


def give_space_back(engine: Engine) -> None:
    """Shrink SQLite's file by the pages that nothing uses, a few at a time: others want to write meanwhile."""
    free = _free_pages(engine)
    while free:
        _at_once(engine, f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})")
        before, free = free, _free_pages(engine)
        if free >= before:  # others delete, too, or a file without `auto_vacuum`
            return


def _free_pages(engine: Engine) -> int:
    if engine.dialect.name != "sqlite":
        return 0
    with engine.connect() as connection:
        return connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()


def _at_once(engine: Engine, pragma: str) -> None:
    if engine.dialect.name == "sqlite":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            driver: Any = connection.connection.driver_connection
            try:
                driver.executescript(pragma)  # `execute` would vacuum a single page
            except sqlite3.Error as error:
                raise OperationalError(pragma, None, error) from error
