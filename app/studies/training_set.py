"""Films that readers gave for training: a folder in the form that `python -m training prepare --source` reads.

It holds `manifest.csv`, `images/<image_id>.png` and `masks/<image_id>.png`. It is the operator's: nothing here expires.
"""

import csv
import fcntl
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.config import SettingError
from app.studies.whole_file import drafts, write_whole

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
        """
        with self._locked() as rows:
            for kind, png in (("images", image_png), ("masks", mask_png)):
                write_whole(self.folder / kind / f"{row['image_id']}.png", png, PRIVATE)
            self._write_manifest([*_without(row["image_id"], rows), row])

    def remove(self, image_id: str) -> None:
        """Delete a film for good; it is no error if there is none."""
        with self._locked() as rows:
            self._write_manifest(_without(image_id, rows))
            for kind in ("images", "masks"):
                (self.folder / kind / f"{image_id}.png").unlink(missing_ok=True)

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
            table = csv.DictReader(file)
            if tuple(table.fieldnames or ()) != COLUMNS:
                raise SettingError(f"PLEURA_FEEDBACK_FOLDER: {self.folder} holds other films. Name a new folder.")
            return list(table)

    def _write_manifest(self, rows: list[dict[str, str]]) -> None:
        text = io.StringIO()
        table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        write_whole(self.folder / "manifest.csv", text.getvalue().encode(), PRIVATE)


def _without(image_id: str, rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [row for row in rows if row["image_id"] != image_id]
