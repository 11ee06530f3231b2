"""Room on the disk of a SQLite database: enough is kept back that films can be deleted when everything else is full.

To delete is to write, too: SQLite first writes the overwritten pages into its log. So a file of zeros lies beside the
database, which is given up when nothing else helps, and made again when there is room.
"""

import errno
import logging
import os
import shutil
from pathlib import Path

from app.studies.database import StorageFullError

LARGEST_RESERVE = 32 * 2**20
"""Bytes: more than the log of one film's deletion takes."""
SHARE_OF_DISK = 8
"""On a small disk an eighth of it is kept back."""

NEXT_TO_NOTHING = 2**18
"""Bytes: the index of SQLite's log, and a few pages of it."""

logger = logging.getLogger(__name__)


class Reserve:
    """Bytes kept back on the disk of a database.

    Attributes:
        file: The file of zeros.
        size: How many bytes it has when it is whole.
    """

    def __init__(self, database: Path) -> None:
        self.file = database.with_name(f"{database.name}-reserve")
        self.size = min(LARGEST_RESERVE, shutil.disk_usage(database.parent).total // SHARE_OF_DISK)

    def check(self) -> None:
        """Refuse another film where there is too little room beside the reserve.

        Raises:
            StorageFullError: If there is.
        """
        free = self._free()
        if free < self.size:
            raise StorageFullError(
                f"The server's disk is full: {free // 2**20} MiB are left, and kept back for deleting films. "
                "Delete films that you no longer need, or wait."
            )

    def is_needed(self) -> bool:
        """Whether there is next to no room: SQLite then fails to open its files, with an "I/O error"."""
        return self._free() < NEXT_TO_NOTHING

    def make(self) -> None:
        """Make the file whole where there is room for it twice over."""
        if self._has() >= self.size or self._free() < 2 * self.size:
            return
        try:
            with open(os.open(self.file, os.O_CREAT | os.O_RDWR, 0o600), "r+b") as file:
                os.posix_fallocate(file.fileno(), 0, self.size)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            self.file.unlink(missing_ok=True)

    def let_go(self) -> bool:
        """Give the reserve up; False if there was none left."""
        had = self._has() > 0
        self.file.unlink(missing_ok=True)
        if had:
            logger.warning("The disk is full: the reserve of %d MiB is given up to delete films.", self.size // 2**20)
        return had

    def _has(self) -> int:
        return self.file.stat().st_blocks * 512 if self.file.exists() else 0

    def _free(self) -> int:
        return shutil.disk_usage(self.file.parent).free
