"""The tables' version, and how an older database is brought to it: Alembic's migrations, run at the start.

A new database is made whole and marked with the latest version, as Alembic's own cookbook does, and one of that version
gets what it lacks: `python -m app.studies` once made new ones without observations, and a dump of some tables leaves
the audit trail's guard out. Alembic itself is imported only where there is something to migrate.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, inspect, select, text

from app.config import SettingError
from app.studies.audit import Entry, guard
from app.studies.database import Base, sqlite_file
from app.studies.observations import Observation
from app.studies.study import Study
from app.studies.tokens import Token

MIGRATIONS = Path(__file__).parent / "migrations"
VERSION = "0003"
"""The latest of them."""
TABLES = [cast(Table, row.__table__) for row in (Study, Entry, Token, Observation)]
"""All there are, whatever else the program that asks for them has imported."""

POSTGRESQL_LOCK = 7_374_635
"""Any number that no other program on the database locks."""

VERSIONS = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))

logger = logging.getLogger(__name__)


def migrate(engine: Engine) -> None:
    """Bring a database's tables to the latest version. Processes that start at once take turns.

    Raises:
        SettingError: If a later version of this program made them.
    """
    with _alone(engine), _patient(engine) as connection:
        found = _version(connection)
        is_older = found != VERSION and inspect(connection).has_table("studies")
        if is_older:
            connection.rollback()
            _upgrade(connection, found)
        else:
            Base.metadata.create_all(connection, TABLES)
            if found != VERSION:
                VERSIONS.create(connection, checkfirst=True)
                connection.execute(VERSIONS.delete())
                connection.execute(VERSIONS.insert().values(version_num=VERSION))
        guard(connection)
        connection.commit()
    if is_older and engine.dialect.name == "sqlite":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM")  # an older file learns to shrink


def _upgrade(connection: Connection, found: str | None) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    configuration = Config(attributes={"connection": connection})
    configuration.set_main_option("script_location", str(MIGRATIONS))
    known = {script.revision for script in ScriptDirectory.from_config(configuration).walk_revisions()}
    if found is not None and found not in known:
        raise SettingError(
            f"PLEURA_DATABASE_URL names a database of version {found}, made by a later Pleura than this one, which "
            f"knows up to {VERSION}. Start that one, or restore a copy from before."
        )
    logger.warning("The database is of version %s; bringing it to %s.", found or "0", VERSION)
    command.upgrade(configuration, "head")
    connection.commit()


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSIONS.name):
        return None
    return connection.scalar(select(VERSIONS.c.version_num))


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """Keep other processes from migrating meanwhile."""
    file = sqlite_file(str(engine.url))
    if file is not None:
        # To close the database's own file would end SQLite's locks on it (fcntl's, of a whole process).
        path = file.with_name(f"{file.name}-lock")
        with open(os.open(path, os.O_CREAT | os.O_RDWR, 0o600), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    elif engine.dialect.name == "postgresql":
        with _patient(engine) as connection:  # closed at the end, and the lock with it
            connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": POSTGRESQL_LOCK})
            yield
    else:
        yield


@contextmanager
def _patient(engine: Engine) -> Iterator[Connection]:
    """Connect without limits of time: others may migrate for long, and so may this process."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.detach()  # closed at the end: without these limits nobody else shall have it
            limits = "SELECT set_config('statement_timeout', '0', false), set_config('lock_timeout', '0', false)"
            connection.execute(text(limits))
            connection.commit()
        yield connection
