"""A copy of SQLite's file, made and put back as docs/operations.md says, after the server was killed, too."""

import shutil
import sqlite3
import stat
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from app.studies.store import StudyStore
from tests.support.needs import command
from tests.support.operating import documented
from tests.support.studies import RETENTION, Clock, add


@pytest.fixture
def store(tmp_path):
    (tmp_path / "instance").mkdir()
    store = open_store(tmp_path)
    yield store
    store.close()


def open_store(folder: Path) -> StudyStore:
    return StudyStore(f"sqlite:///{folder / 'instance' / 'studies.sqlite'}", RETENTION, Clock())


def run(folder: Path, *beginnings: str) -> None:
    """Run commands of the page, in a shell."""
    command("sqlite3", "sqlite3")
    lines = "\n".join(documented(beginning) for beginning in beginnings)
    subprocess.run(["sh", "-ec", f"umask 077\n{lines}"], cwd=folder, check=True)


def test_a_backup_is_the_operator_s_alone_and_has_no_films(store, tmp_path):
    add(store, "one", film_png=b"a film of Doe^Jane")
    store.audit.note("session 1", "uploaded", "one")
    run(tmp_path, 'sqlite3 instance/studies.sqlite ".backup', "sqlite3 backup.sqlite")
    backup = tmp_path / "backup.sqlite"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert b"Doe^Jane" not in backup.read_bytes()
    with closing(sqlite3.connect(backup)) as copy:
        assert copy.execute("SELECT deed FROM audit").fetchall() == [("uploaded",)]


def test_a_backup_is_restored_beside_the_log_of_a_server_that_was_killed(store, tmp_path):
    store.audit.note("session 1", "uploaded", "one")
    run(tmp_path, 'sqlite3 instance/studies.sqlite ".backup')
    for number in range(50):
        store.audit.note("session 1", "saw", f"{number}")
    killed = tmp_path / "killed"  # what lies on the disk while a server runs
    shutil.copytree(tmp_path / "instance", killed / "instance")
    shutil.copy(tmp_path / "backup.sqlite", killed)
    assert (killed / "instance" / "studies.sqlite-wal").stat().st_size > 0
    run(killed, 'sqlite3 instance/studies.sqlite ".restore')
    restored = open_store(killed)
    with restored.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    assert [row[2:] for row in restored.audit.rows()] == [("uploaded", "one", "")]
    restored.close()
