"""A file before its bytes are read: whether it is one, and whether it is too large."""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

from app.segmentation.errors import FileTooLargeError
from app.segmentation.reading.radiograph import MAX_BYTES


def open_film(path: Path) -> BufferedReader:
    """Open a file of a folder that may hold anything.

    Raises:
        OSError: If it cannot be opened, or is a pipe or the like, which would wait for its other end.
    """
    file = open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    return file


def demand_size(size: int) -> None:
    """Refuse files that are too large to be one film.

    Args:
        size: In bytes.

    Raises:
        FileTooLargeError: If it is.
    """
    if size > MAX_BYTES:
        raise FileTooLargeError(
            f"The file has {size / 2**20:.1f} MiB; {MAX_BYTES // 2**20} MiB is the limit. Send a single film."
        )
