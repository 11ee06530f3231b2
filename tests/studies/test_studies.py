"""What is kept, for whom, and for how long."""

import contextlib
import os
import sqlite3
import stat
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.orm.exc import DetachedInstanceError

from app.studies import store as studies
from app.studies.database import Base, StorageFullError, StorageUnavailableError
from app.studies.store import StudyStore, TooManyStudiesError
from app.studies.study import Study
from tests.support.studies import ANSWER, RETENTION, Clock, add


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(any_database, clock):
    store = StudyStore(any_database, RETENTION, clock)
    yield store
    Base.metadata.drop_all(store.engine)
    store.close()


def test_a_study_comes_back_as_it_was_kept(store, clock):
    add(store, film_png=bytes(range(256)) * 9000)
    study = store.get("one", "ann")
    assert study.film_png == bytes(range(256)) * 9000
    assert (study.probability_png, study.disagreement_png) == (b"map", b"doubt")
    assert study.answer == replace(ANSWER, id="one")
    assert (study.file_name, study.created_at, study.expires_at) == ("one.dcm", clock.now, clock.now + RETENTION)


def test_a_session_lists_its_own_studies_latest_first(store, clock):
    for study_id, owner in (("one", "ann"), ("two", "bob"), ("three", "ann")):
        clock.now += 1
        add(store, study_id, owner)
    assert [study.id for study in store.list_of("ann")] == ["three", "one"]


def test_another_session_neither_sees_nor_deletes_it(store):
    add(store)
    assert store.get("one", "bob") is None
    assert not store.delete("one", "bob")
    assert store.get("one", "ann")


def test_a_deleted_study_is_gone(store):
    add(store)
    assert store.delete("one", "ann")
    assert store.get("one", "ann") is None
    assert not store.delete("one", "ann")


def test_an_expired_study_is_never_shown_even_before_it_is_purged(store, clock):
    add(store)
    clock.now += RETENTION - 1
    assert store.get("one", "ann")
    clock.now += 1
    assert store.get("one", "ann") is None
    assert store.list_of("ann") == []
    assert not store.delete("one", "ann")


def test_purging_deletes_the_expired_rows_and_no_others(store, clock):
    add(store, "old")
    clock.now += RETENTION
    add(store, "new")
    assert store.purge() == 1
    with store.engine.connect() as connection:
        assert connection.execute(select(Study.id)).scalars().all() == ["new"]
    assert store.purge() == 0


def test_the_background_thread_purges_and_ends(store, clock):
    add(store)
    clock.now += RETENTION
    thread = store.start_purging(every_seconds=0.02)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with store.engine.connect() as connection:
            if not connection.execute(select(Study.id)).all():
                break
        time.sleep(0.02)
    else:
        pytest.fail("the expired study is still there")
    store.close()
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_a_session_keeps_a_bounded_number(store, clock, monkeypatch):
    monkeypatch.setattr(studies, "MAX_STUDIES_PER_OWNER", 2)
    add(store, "one")
    add(store, "two")
    with pytest.raises(TooManyStudiesError, match="keeps 2 films"):
        add(store, "three")
    add(store, "four", owner="bob")
    clock.now += RETENTION
    add(store, "three")


def test_a_list_does_not_load_films(store):
    add(store)
    with pytest.raises(DetachedInstanceError):
        _ = store.list_of("ann")[0].film_png


def test_sqlite_files_are_ours_alone_and_forget_deleted_films(tmp_path, clock):
    path = tmp_path / "studies.sqlite"
    path.touch(mode=0o644)
    store = StudyStore(f"sqlite:///{path}", RETENTION, clock)
    secret = b"a film that must not linger " * 20_000
    add(store, film_png=secret)
    files = list(tmp_path.iterdir())
    assert len(files) == 5  # the database, its log, the log's index, the lock of migrations, and the reserve
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert any(b"must not linger" in file.read_bytes() for file in files)
    clock.now += RETENTION
    store.purge()
    assert not any(b"must not linger" in file.read_bytes() for file in files)
    store.close()


def test_several_processes_may_start_at_once(any_database):
    program = (
        "import sys; from app.studies.store import StudyStore; sys.stdin.read(); StudyStore(sys.argv[1], 1).purge()"
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", program, any_database], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    for worker in workers:  # all wait here, imports done or nearly so
        worker.stdin.close()
    assert [(worker.wait(timeout=60), worker.stderr.read()) for worker in workers] == [(0, b"")] * 4
    store = StudyStore(any_database, 1)
    Base.metadata.drop_all(store.engine)
    store.close()


def test_all_sessions_together_keep_a_bounded_number_of_bytes(any_database, clock):
    store = StudyStore(any_database, RETENTION, clock, most_bytes=2000)
    add(store, "one", film_png=bytes(1500))
    add(store, "two", owner="bob", film_png=bytes(1500))
    with pytest.raises(StorageFullError, match="All readers together"):
        add(store, "three", owner="cat")
    assert "All readers together" in store.objection()
    clock.now += RETENTION
    store.purge()
    assert store.objection() == ""
    add(store, "three", owner="cat")
    Base.metadata.drop_all(store.engine)
    store.close()


def test_space_is_given_back(tmp_path, clock):
    store = StudyStore(f"sqlite:///{tmp_path / 'studies.sqlite'}", RETENTION, clock)
    for study_id in ("one", "two", "three"):
        add(store, study_id, film_png=os.urandom(10**6))
    assert (tmp_path / "studies.sqlite-wal").stat().st_size + (tmp_path / "studies.sqlite").stat().st_size > 3 * 10**6
    for study_id in ("one", "three"):
        assert store.delete(study_id, "ann")
    assert (tmp_path / "studies.sqlite").stat().st_size < 2 * 10**6
    assert store.get("two", "ann").film_png
    store.close()


def test_a_locked_database_hinders_nobody_to_look(tmp_path, caplog):
    file = tmp_path / "studies.sqlite"
    store = StudyStore(f"sqlite:///{file}?timeout=0.1", RETENTION, Clock())
    study = add(store)
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.note_seen(study)
        assert store.get("one", "ann").film_png
    assert "Not kept: seen_at of one (storage_unavailable)" in caplog.text
    store.close()


def test_a_database_that_does_not_answer_is_named(tmp_path, clock):
    store = StudyStore(f"sqlite:///{tmp_path / 'studies.sqlite'}", RETENTION, clock)
    with store.engine.begin() as connection:
        connection.execute(text("DROP TABLE studies"))
    for call in (lambda: store.get("one", "ann"), lambda: store.list_of("ann"), lambda: add(store), store.purge):
        with pytest.raises(StorageUnavailableError):
            call()
    assert "does not answer" in store.objection()
    store.close()


def test_a_deleted_file_is_noticed(tmp_path, clock):
    store = StudyStore(f"sqlite:///{tmp_path / 'studies.sqlite'}", RETENTION, clock)
    assert store.objection() == ""
    (tmp_path / "studies.sqlite").unlink()
    assert "deleted or replaced" in store.objection()
    store.close()


@pytest.mark.parametrize("hours", [2, -2])
def test_a_clock_that_jumps_loses_no_film_for_good(tmp_path, clock, hours):
    store = StudyStore(f"sqlite:///{tmp_path / 'studies.sqlite'}", RETENTION, clock)
    add(store)
    clock.now += 3600 * hours
    assert [study.id for study in store.list_of("ann")] == ([] if hours > 0 else ["one"])
    add(store, "two")
    clock.now -= 3600 * hours
    assert "two" in {study.id for study in store.list_of("ann")} or hours < 0
    clock.now += 3 * 3600
    assert store.purge() >= 1
    assert store.list_of("ann") == []
    store.close()


def test_a_study_is_kept_longer_up_to_a_limit(any_database, clock):
    store = StudyStore(any_database, RETENTION, clock, longest_seconds=1.5 * RETENTION)
    began = clock.now
    study = add(store)
    clock.now = began + 0.25 * RETENTION
    assert store.keep_longer(study) == began + 1.25 * RETENTION
    clock.now = began + RETENTION
    assert store.keep_longer(store.get("one", "ann")) == began + 1.5 * RETENTION
    assert store.keep_longer(store.get("one", "ann")) == began + 1.5 * RETENTION
    clock.now = began + 1.5 * RETENTION
    assert store.get("one", "ann") is None
    Base.metadata.drop_all(store.engine)
    store.close()


def test_ten_thousand_films_are_counted_listed_and_purged(tmp_path, clock):
    store = StudyStore(f"sqlite:///{tmp_path / 'studies.sqlite'}", RETENTION, clock, most_bytes=10**9)
    common = {"file_name": "film.dcm", "created_at": clock.now, "expires_at": clock.now + RETENTION, "size_bytes": 4}
    pictures = {"answer": ANSWER, "film_png": b"film", "probability_png": b"map", "disagreement_png": b"doubt"}
    with store.engine.begin() as connection:
        rows = [{"id": f"{n}", "owner": f"session {n // 100}", **common, **pictures} for n in range(10_000)]
        connection.execute(insert(Study), rows)
    assert len(store.list_of("session 7")) == 100
    assert store.objection() == ""
    clock.now += RETENTION
    assert store.purge() == 10_000
    assert (tmp_path / "studies.sqlite").stat().st_size < 200_000
    store.close()
