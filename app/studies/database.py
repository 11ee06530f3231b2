"""Where studies live: SQLite, looked after so that deleted films do not linger in it, or any URL of SQLAlchemy."""

import logging
import os
from pathlib import Path

from sqlalchemy import Engine, MetaData, create_engine, event, inspect, make_url

logger = logging.getLogger(__name__)

BUSY_SECONDS = 15
"""How long one process waits for another's transaction on SQLite."""


def default_url(instance_folder: Path) -> str:
    """Name the SQLite database in a folder of ours alone."""
    instance_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return f"sqlite:///{instance_folder / 'studies.sqlite'}"


def open_database(url: str) -> Engine:
    """Connect to a database; a SQLite file is created if need be, readable by its owner alone.

    On SQLite, deleted rows are overwritten (`secure_delete`) and several processes may read while one
    writes (`journal_mode=WAL`). SQLite gives the files beside the database the database's own mode.
    Errors are logged without a statement's values, among them the name of a patient's file.
    """
    file = make_url(url).database
    if make_url(url).get_backend_name() != "sqlite" or not file:
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    os.chmod(file, 0o600)  # also where the file is older than this process
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _configure(connection, _record) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def make_tables(engine: Engine, tables: MetaData) -> None:
    """Make the tables that are missing, and make anew those that an earlier version left with other columns.

    Films are kept for minutes, not for years: what such a table holds is given up, not migrated.
    """
    found = inspect(engine)
    for table in reversed(tables.sorted_tables):
        if found.has_table(table.name):
            columns = {column["name"] for column in found.get_columns(table.name)}
            if columns != set(table.columns.keys()):
                logger.warning("The table %s is of another version; it is made anew, empty.", table.name)
                table.drop(engine)
    tables.create_all(engine)


def erase_log(engine: Engine) -> None:
    """Empty SQLite's write-ahead log, which still holds the pages of deleted rows."""
    if engine.dialect.name == "sqlite":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
