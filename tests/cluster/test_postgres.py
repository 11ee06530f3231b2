"""What PostgreSQL alone does: it refuses to forget deeds, and its disk may be full while the server's is not."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, text, update
from sqlalchemy.exc import DBAPIError

from app.studies.audit import AuditTrail, Entry
from app.studies.database import Base, StorageFullError
from app.studies.schema import VERSIONS
from app.studies.store import StudyStore
from app.studies.study import Study
from tests.support.needs import lacking
from tests.support.studies import ANSWER, RETENTION, Clock, add

MIB = 2**20


def drop_tables(connection: Connection) -> None:
    Base.metadata.drop_all(connection)
    VERSIONS.drop(connection)


@pytest.fixture
def store(url) -> Iterator[StudyStore]:
    store = StudyStore(url, RETENTION, Clock())
    yield store
    with store.engine.begin() as connection:
        drop_tables(connection)
    store.close()


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A disk of 24 MiB in memory, PostgreSQL's own."""
    folder = Path("/tmp") / f"pleura-small-{os.getpid()}"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=700", "pleura", folder]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        folder.rmdir()
        lacking("no right to mount a disk of one's own")
    shutil.chown(folder, "postgres")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)
    folder.rmdir()


@pytest.fixture
def cramped(url, small_disk) -> Iterator[StudyStore]:
    """Studies on that disk."""
    outside = StudyStore(url, RETENTION, Clock())
    own = outside.engine.execution_options(isolation_level="AUTOCOMMIT")
    with own.connect() as connection:
        connection.execute(text(f"CREATE TABLESPACE small LOCATION '{small_disk}'"))
        connection.execute(text("ALTER TABLE studies SET TABLESPACE small"))
    yield outside
    with own.connect() as connection:
        drop_tables(connection)
        connection.execute(text("DROP TABLESPACE small"))
    outside.close()


@pytest.mark.parametrize("statement", [update(Entry).values(who="nobody"), delete(Entry)], ids=["change", "delete"])
def test_it_refuses_to_forget_deeds(store, statement):
    trail = AuditTrail(store.engine)
    trail.note("session 1", "deleted", "one")
    before = list(trail.rows())
    with pytest.raises(DBAPIError, match="append-only"), store.engine.begin() as connection:
        connection.execute(statement)
    assert trail.purge() == 0
    assert list(trail.rows()) == before


def fill(store: StudyStore) -> list[str]:
    """Keep films until there is no room; return those that were kept."""
    ids = [f"film {number}" for number in range(100)]
    for number, study_id in enumerate(ids):
        try:
            add(store, study_id, owner=f"session {number // 50}", film_png=os.urandom(MIB))
        except StorageFullError as error:
            assert "disk is full" in str(error)
            return ids[:number]
    raise AssertionError("24 MiB hold a hundred films of 1 MiB")


def test_a_full_disk_is_told_and_films_can_be_deleted_and_purged(cramped, small_disk):
    kept = fill(cramped)
    assert len(kept) > 5
    assert "disk of the database was full" in cramped.objection()
    assert cramped.delete(kept[0], "session 0")
    again = StudyStore(str(cramped.engine.url.render_as_string(False)), RETENTION, cramped.clock)  # and start
    assert len(again.list_of("session 0")) == len(kept) - 1
    cramped.clock.now += RETENTION
    assert again.purge() == len(kept) - 1
    again.close()
    subprocess.run(["mount", "-o", "remount,size=25m", small_disk], check=True)  # to vacuum takes some pages
    with cramped.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM studies"))  # as the server does by itself in a while
    add(cramped, "new", film_png=os.urandom(MIB))
    assert cramped.objection() == ""


def test_ten_thousand_films_are_purged(store):
    now = store.clock.now
    common = {"file_name": "film.dcm", "created_at": now, "expires_at": now + RETENTION, "size_bytes": 4}
    pictures = {"answer": ANSWER, "film_png": b"film", "probability_png": b"map", "disagreement_png": b"doubt"}
    with store.engine.begin() as connection:
        connection.execute(
            insert(Study), [{"id": f"{n}", "owner": f"{n // 100}", **common, **pictures} for n in range(10_000)]
        )
    assert len(store.list_of("7")) == 100
    store.clock.now += RETENTION
    assert store.purge() == 10_000


def test_a_table_that_others_have_locked_is_told(store, url, monkeypatch):
    monkeypatch.setattr("app.studies.database.ANSWER_SECONDS", 1)
    impatient = StudyStore(url, RETENTION, store.clock)
    with store.engine.connect() as connection:
        connection.execute(text("LOCK TABLE studies IN ACCESS EXCLUSIVE MODE"))
        assert impatient.objection() == "The server's database does not answer. Try again in a while."
    assert impatient.objection() == ""
    impatient.close()
