"""Films that readers gave for training: a folder in the form that `python -m training prepare --source` reads.

It holds `manifest.csv`, `images/<image_id>.png` and `masks/<image_id>.png`. It is the operator's: nothing here expires.
"""

import csv
import errno
import fcntl
import io
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.config import SettingError
from app.studies.database import StorageFullError, StorageUnavailableError
from app.studies.whole_file import drafts, write_whole

logger = logging.getLogger(__name__)

COLUMNS = (
    *("image_id", "patient_id", "split", "label_source"),
    *("drawn", "finding", "probability", "model"),
)
"""The first four are what training reads. The others tell the operator what the model had answered, and whether the
mask is the reader's own or the model's, to which the reader agreed."""
PRIVATE = 0o600
"""For its owner alone."""


class TrainingSet:
    """A folder of given films. Processes share it: every change happens under a lock.

    Attributes:
        folder: Where it is.
    """

    def __init__(self, folder: Path) -> None:
        """Open a folder, or make it. What is made in it is readable by its owner alone.

        Raises:
            SettingError: If it cannot be written to, or holds something else.
        """
        self.folder = folder
        try:
            parts = (folder, folder / "images", folder / "masks")
            for part in parts:
                part.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._locked() as rows:
                for left in (draft for part in parts for draft in drafts(part)):
                    left.unlink(missing_ok=True)  # under the lock nobody is writing it: its writer was killed
                self._write_manifest(rows)
        except OSError as error:
            raise SettingError(f"PLEURA_FEEDBACK_FOLDER cannot be written to: {error}.") from error

    def add(self, row: dict[str, str], image_png: bytes, mask_png: bytes) -> None:
        """Keep a film, in place of one with the same image id.

        Args:
            row: A value for each of `COLUMNS`.
            image_png: The film.
            mask_png: Its mask, 0 and 255, in the film's pixels.

        Raises:
            StorageFullError: If there is no room; nothing is left of it then.
            StorageUnavailableError: If the folder cannot be written to, likewise.
        """
        with _failures_named(), self._locked() as rows:
            try:
                for path, png in zip(self._pictures(row["image_id"]), (image_png, mask_png), strict=True):
                    write_whole(path, png, PRIVATE)
                self._write_manifest([*_without(row["image_id"], rows), row])
            except OSError:
                with suppress(OSError):
                    self._remove(row["image_id"], rows)
                raise

    def remove(self, image_id: str) -> None:
        """Delete a film for good; it is no error if there is none.

        Raises:
            StorageFullError: If there is no room for the manifest; the film itself is gone.
            StorageUnavailableError: If the folder cannot be written to.
        """
        with _failures_named(), self._locked() as rows:
            self._remove(image_id, rows)

    def _remove(self, image_id: str, rows: list[dict[str, str]]) -> None:
        for path in self._pictures(image_id):
            path.unlink(missing_ok=True)  # before anything is written: that needs room, and this gives some
        others = _without(image_id, rows)
        if others != rows:
            self._write_manifest(others)

    def _pictures(self, image_id: str) -> tuple[Path, Path]:
        return self.folder / "images" / f"{image_id}.png", self.folder / "masks" / f"{image_id}.png"

    @contextmanager
    def _locked(self) -> Iterator[list[dict[str, str]]]:
        """Keep others out, and read the manifest's rows."""
        with open(os.open(self.folder / ".lock", os.O_CREAT | os.O_RDWR, PRIVATE), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self._read_manifest()

    def _read_manifest(self) -> list[dict[str, str]]:
        path = self.folder / "manifest.csv"
        if not path.is_file():
            return []
        with path.open(newline="") as file:
            try:
                table = csv.DictReader(file)
                if tuple(table.fieldnames or ()) == COLUMNS:
                    return list(table)
            except (UnicodeDecodeError, csv.Error):
                pass  # no table at all
            raise SettingError(f"PLEURA_FEEDBACK_FOLDER: {self.folder} holds other films. Name a new folder.")

    def _write_manifest(self, rows: list[dict[str, str]]) -> None:
        text = io.StringIO()
        table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        write_whole(self.folder / "manifest.csv", text.getvalue().encode(), PRIVATE)


def _without(image_id: str, rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [row for row in rows if row["image_id"] != image_id]


@contextmanager
def _failures_named() -> Iterator[None]:
    """Turn what the file system raises into an error with a sentence."""
    try:
        yield
    except OSError as error:
        logger.error("The folder of given films failed: %s", error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            message = "The disk for films that are given for training is full. Tell the operator."
            raise StorageFullError(message) from error
        message = "The folder for films that are given for training cannot be written to. Tell the operator."
        raise StorageUnavailableError(message) from error
