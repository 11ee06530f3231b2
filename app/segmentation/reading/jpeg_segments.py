"""The marker segments of a JPEG or JPEG-LS file before its picture (ITU-T T.81 B.1.1, B.2; T.87 C.2)."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from app.segmentation.errors import InvalidImageError

MAGIC = b"\xff\xd8\xff"
START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
JPEG_LS_FRAME = 0xF7
LOSSLESS_FRAMES = (0xC3, 0xC7, 0xCB, 0xCF)
FRAMES = (*(marker for marker in range(0xC0, 0xD0) if marker not in (0xC4, 0xC8, 0xCC)), JPEG_LS_FRAME)

FILL_BYTES = re.compile(rb"\xff+")
MAX_SEGMENTS = 10_000
"""An ICC profile or a preview takes a dozen; each costs time, though it be empty."""


@dataclass(frozen=True)
class Segment:
    """A marker and its parameters.

    Attributes:
        marker: Its second byte.
        body: Its parameters.
        start: Where its marker stands in the file.
        end: Where the next one begins, or its fill bytes; after the header of a scan its data.
    """

    marker: int
    body: bytes
    start: int
    end: int


def segments(data: bytes) -> Iterator[Segment]:
    """Follow the segments up to the header of the first scan, which is the last.

    Args:
        data: A file that begins with `MAGIC`.

    Raises:
        IndexError: If there is no marker where one must be.
        struct.error: If it ends before its first scan.
        InvalidImageError: If there are more than `MAX_SEGMENTS`.
    """
    position = 2
    for _ in range(MAX_SEGMENTS):
        prefix = FILL_BYTES.match(data, position)  # any number of them (ITU-T T.81 B.1.1.2)
        if prefix is None:
            raise IndexError("no marker where one must be")
        start = prefix.end() - 1
        marker, length = struct.unpack_from(">xBH", data, start)
        position = start + 2 + length
        yield Segment(marker, data[start + 4 : position], start, position)
        if marker == START_OF_SCAN:
            return
    raise InvalidImageError(f"The JPEG has more than {MAX_SEGMENTS:,} segments before its picture. Save it anew.")
