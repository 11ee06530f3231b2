"""PostgreSQL as operators have it: a schema of its own, a long migration, a dump restored, tables that are gone."""

import shlex
import subprocess
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, delete, make_url, text, update
from sqlalchemy.exc import DBAPIError, OperationalError

from app.studies.audit import AuditTrail, Entry
from app.studies.database import StorageUnavailableError, open_database
from app.studies.schema import POSTGRESQL_LOCK, migrate
from app.studies.store import StudyStore
from tests.support.needs import command
from tests.support.operating import documented
from tests.support.studies import RETENTION, Clock, add


@pytest.fixture
def fresh(url) -> Iterator[str]:
    """An empty database's address."""
    server = create_engine(url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text("CREATE DATABASE fresh"))
    yield make_url(url).set(database="fresh").render_as_string(False)
    with server.connect() as connection:
        connection.execute(text("DROP DATABASE fresh WITH (FORCE)"))
    server.dispose()


@pytest.fixture
def store(fresh) -> Iterator[StudyStore]:
    store = StudyStore(fresh, RETENTION, Clock())
    yield store
    store.close()


def setting(url: str, name: str) -> str:
    engine = open_database(url)
    with engine.connect() as connection:
        found = connection.scalar(text(f"SHOW {name}"))
    engine.dispose()
    return found


def test_what_the_address_or_libpq_s_variables_say_counts(fresh, monkeypatch):
    named = f"{fresh}?options=-csearch_path%3Dward%20-c%20lock_timeout%3D2s&connect_timeout=7"
    assert setting(named, "search_path") == "ward"
    assert setting(named, "lock_timeout") == "2s"
    assert setting(named, "statement_timeout") == setting(fresh, "lock_timeout") == "15s"
    monkeypatch.setenv("PGOPTIONS", "-c search_path=other")
    assert setting(fresh, "search_path") == "other"
    assert setting(named, "search_path") == "ward"


def test_the_tables_lie_in_the_operator_s_schema(fresh):
    outside = create_engine(fresh)
    with outside.begin() as connection:
        connection.execute(text("CREATE SCHEMA ward"))
    store = StudyStore(f"{fresh}?options=-csearch_path%3Dward", RETENTION, Clock())
    add(store, "one")
    with outside.connect() as connection:
        schemas = connection.scalars(text("SELECT DISTINCT schemaname FROM pg_tables WHERE tablename = 'studies'"))
        assert schemas.all() == ["ward"]
    store.close()
    outside.dispose()


def test_a_start_waits_for_another_one_s_migration_however_long_it_takes(fresh, monkeypatch):
    monkeypatch.setattr("app.studies.database.ANSWER_SECONDS", 0.2)
    other, engine = create_engine(fresh), open_database(fresh)
    with other.connect() as connection:
        connection.execute(text(f"SELECT pg_advisory_lock({POSTGRESQL_LOCK})"))
        start = threading.Thread(target=migrate, args=(engine,))
        start.start()
        start.join(1)
        assert start.is_alive()
        connection.execute(text(f"SELECT pg_advisory_unlock({POSTGRESQL_LOCK})"))
    start.join(30)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM studies")) == 0
        with pytest.raises(OperationalError, match="statement timeout"):  # which counts again
            connection.execute(text("SELECT pg_sleep(5)"))
    engine.dispose()
    other.dispose()


def test_a_migration_has_the_time_that_it_takes(fresh, monkeypatch):
    monkeypatch.setattr("app.studies.database.ANSWER_SECONDS", 0.2)
    monkeypatch.setattr("app.studies.schema.guard", lambda connection: connection.execute(text("SELECT pg_sleep(0.6)")))
    engine = open_database(fresh)
    migrate(engine)
    engine.dispose()


def refuses_to_forget(store: StudyStore) -> bool:
    for statement in (update(Entry).values(who="nobody"), delete(Entry)):
        with pytest.raises(DBAPIError, match="append-only"), store.engine.begin() as connection:
            connection.execute(statement)
    return True


def test_a_dump_keeps_what_guards_the_audit_trail_and_no_film(store, fresh, tmp_path):
    add(store, "one")
    AuditTrail(store.engine).note("session 1", "uploaded", "one")
    token = store.tokens.add("ward 3")
    before = list(store.audit.rows())
    store.engine.dispose()
    address = fresh.replace("+psycopg", "")
    dump = [*shlex.split(documented("pg_dump "))[:-1], address]
    restore = [*shlex.split(documented("psql "))[:-1], address]
    subprocess.run([command("pg_dump", "postgresql-client"), *dump[1:]], cwd=tmp_path, check=True)
    with store.engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
    subprocess.run([command("psql", "postgresql-client"), *restore[1:]], cwd=tmp_path, check=True, capture_output=True)
    with store.engine.connect() as connection:
        triggers = connection.scalars(text("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"))
        assert set(triggers) == {"audit_unchanged", "audit_undeleted"}
    again = StudyStore(fresh, RETENTION, store.clock)
    assert list(again.audit.rows()) == before
    assert again.tokens.owner_of(token) == "ward 3"
    assert again.list_of("somebody") == []
    add(again, "two")
    assert refuses_to_forget(again)
    again.close()


def test_a_copy_without_the_guard_gets_it_again(store, fresh):
    AuditTrail(store.engine).note("session 1", "uploaded", "one")
    with store.engine.begin() as connection:
        connection.execute(text("DROP FUNCTION audit_refuse CASCADE"))
    again = StudyStore(fresh, RETENTION, store.clock)
    assert refuses_to_forget(again)
    again.close()


def test_lost_tables_and_a_server_that_only_reads_are_told_as_an_outage(store):
    store.engine.dispose()
    with store.engine.begin() as connection:
        connection.execute(text("ALTER DATABASE fresh SET default_transaction_read_only = on"))
    store.engine.dispose()
    with pytest.raises(StorageUnavailableError):
        add(store, "one")
    with store.engine.connect() as connection:
        connection.execute(text("SET transaction_read_only = off"))
        connection.execute(text("DROP TABLE studies"))
        connection.commit()
    with pytest.raises(StorageUnavailableError):
        store.get("one", "somebody")
