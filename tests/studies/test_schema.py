"""Tables: made whole, or brought to this version step by step, with the same outcome."""

import os
import subprocess
import sys

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from app.config import ROOT, SettingError
from app.studies.audit import AuditTrail, Entry
from app.studies.database import Base, open_database
from app.studies.schema import MIGRATIONS, TABLES, VERSION, VERSIONS, migrate
from app.studies.store import StudyStore
from app.studies.tokens import Tokens


@pytest.fixture
def engine(tmp_path):
    engine = open_database(f"sqlite:///{tmp_path / 'studies.sqlite'}")
    yield engine
    engine.dispose()


def configuration(connection: sa.Connection) -> Config:
    configuration = Config(attributes={"connection": connection})
    configuration.set_main_option("script_location", str(MIGRATIONS))
    return configuration


def differences(engine: sa.Engine) -> list:
    with engine.connect() as connection:
        return compare_metadata(MigrationContext.configure(connection), Base.metadata)


def test_the_last_migration_is_the_version_that_the_program_wants():
    assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [VERSION]


def test_migrations_make_the_tables_that_the_program_describes(engine):
    with engine.connect() as connection:
        command.upgrade(configuration(connection), "head")
        connection.commit()
    assert differences(engine) == []
    migrate(engine)
    with engine.connect() as connection:
        command.downgrade(configuration(connection), "base")
        connection.commit()
    assert sa.inspect(engine).get_table_names() == ["alembic_version"]


def test_a_new_database_is_made_whole(engine):
    migrate(engine)
    migrate(engine)
    assert differences(engine) == []


def test_every_table_is_among_them():
    assert {table.name for table in TABLES} == Base.metadata.tables.keys()


def test_the_operator_s_command_makes_the_same_tables_as_the_server(engine, tmp_path):
    """In a process of its own: what this one has imported would hide what the command forgets."""
    url = f"sqlite:///{tmp_path / 'fresh.sqlite'}"
    command = [sys.executable, "-m", "app.studies", "token", "list"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "PLEURA_DATABASE_URL": url}, check=True)
    StudyStore(str(engine.url), 60).close()
    fresh = open_database(url)
    assert differences(fresh) == []
    assert set(sa.inspect(fresh).get_table_names()) == set(sa.inspect(engine).get_table_names())
    fresh.dispose()


@pytest.mark.parametrize("table", ["observations", "audit"])
def test_a_database_of_this_version_gets_what_it_lacks(engine, table):
    migrate(engine)
    Tokens(engine).add("ward 3")
    with engine.begin() as connection:
        connection.execute(sa.text(f"DROP TABLE {table}"))
    migrate(engine)
    assert differences(engine) == []
    assert [token.name for token in Tokens(engine).all()] == ["ward 3"]
    AuditTrail(engine).note("session 1", "saw")
    with pytest.raises(sa.exc.IntegrityError, match="append-only"), engine.begin() as connection:
        connection.execute(sa.update(Entry).values(who="nobody"))


def test_a_copy_without_the_audit_trail_s_guard_gets_it_again(engine):
    migrate(engine)
    AuditTrail(engine).note("session 1", "saw")
    with engine.begin() as connection:
        for trigger in ("audit_unchanged", "audit_undeleted"):
            connection.execute(sa.text(f"DROP TRIGGER {trigger}"))
    migrate(engine)
    for statement in (sa.update(Entry).values(who="nobody"), sa.delete(Entry)):
        with pytest.raises(sa.exc.IntegrityError, match="append-only"), engine.begin() as connection:
            connection.execute(statement)


def test_films_from_before_there_were_versions_are_given_up(engine):
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE studies (id TEXT PRIMARY KEY, film_png BLOB)")
        connection.exec_driver_sql("INSERT INTO studies VALUES ('old', x'00')")
    migrate(engine)
    assert differences(engine) == []
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM studies")) == 0
        assert connection.scalar(sa.text("PRAGMA auto_vacuum")) == 2


def test_what_outlives_films_outlives_a_start(engine, tmp_path):
    migrate(engine)
    AuditTrail(engine).note("session 1", "saw", "one")
    store = StudyStore(str(engine.url), 60)
    assert [row[1:] for row in store.audit.rows()] == [("session 1", "saw", "one", "")]
    store.close()


def test_tables_of_a_later_version_are_left_alone(engine):
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(VERSIONS.update().values(version_num="9999"))
    with pytest.raises(SettingError, match="version 9999"):
        migrate(engine)
    with engine.connect() as connection:
        assert connection.scalar(sa.select(VERSIONS.c.version_num)) == "9999"
