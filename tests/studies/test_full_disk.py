"""A full disk: films are refused while there is room left to delete, and deleting and starting always work."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from app.studies.database import StorageFullError
from app.studies.store import StudyStore
from tests.support.needs import lacking
from tests.support.studies import RETENTION, Clock, add

MIB = 2**20


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    """A disk of 24 MiB in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "pleura", folder], capture_output=True, check=False
    )
    if done.returncode:
        lacking("no right to mount a disk of one's own")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path) -> None:
    """Take the last byte of a disk."""
    with (disk / "others").open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(MIB))
    assert shutil.disk_usage(disk).free == 0


@pytest.fixture
def kept(disk, monkeypatch) -> StudyStore:
    """Two films on the disk, and 3 MiB kept back."""
    monkeypatch.setattr("app.studies.disk.LARGEST_RESERVE", 3 * MIB)
    clock = Clock()
    store = StudyStore(f"sqlite:///{disk / 'studies.sqlite'}", RETENTION, clock)
    for study_id in ("one", "two"):
        add(store, study_id, film_png=os.urandom(MIB))
    yield store
    store.close()


def test_films_are_refused_before_the_disk_is_full(disk, kept):
    (disk / "others").write_bytes(bytes(shutil.disk_usage(disk).free - MIB))
    with pytest.raises(StorageFullError, match="kept back"):
        kept.check_room("ann")
    assert "disk is full" in kept.objection()
    (disk / "others").unlink()
    assert kept.objection() == ""


def test_films_are_deleted_on_a_full_disk(disk, kept):
    fill(disk)
    with pytest.raises(StorageFullError):
        add(kept, "three")
    assert kept.delete("one", "ann")
    assert [study.id for study in kept.list_of("ann")] == ["two"]
    assert shutil.disk_usage(disk).free > MIB // 2


def test_films_are_purged_on_a_full_disk_and_room_is_kept_back_anew(disk, kept):
    reserve = disk / "studies.sqlite-reserve"
    fill(disk)
    kept.clock.now += RETENTION
    assert kept.purge() == 2
    assert kept.list_of("ann") == []
    assert b"one.dcm" not in (disk / "studies.sqlite").read_bytes()
    (disk / "others").unlink()
    kept.purge()
    assert reserve.stat().st_size == 3 * MIB


def test_a_server_starts_on_a_full_disk(disk, kept):
    kept.close()
    fill(disk)
    again = StudyStore(f"sqlite:///{disk / 'studies.sqlite'}", RETENTION, kept.clock)
    assert len(again.list_of("ann")) == 2
    assert again.delete("two", "ann")
    again.close()


def test_audit_does_not_hinder_a_full_disk(disk, kept, caplog):
    fill(disk)
    kept.audit.note("session 1", "deleted", "one")
    assert kept.delete("one", "ann")


def test_a_film_is_looked_at_on_a_full_disk(disk, kept, caplog):
    study = kept.get("one", "ann")
    fill(disk)
    kept.note_seen(study)
    kept.note(study, activations={"levels": "x" * MIB})
    assert kept.get("one", "ann").film_png
    assert "Not kept: activations of one (storage_full)" in caplog.text
