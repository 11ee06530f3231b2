"""The marker segments of a JPEG or JPEG-LS file (ITU-T T.81 B.1.1, B.2; T.87 C.2)."""

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
BARE_MARKERS = (*range(0x01, 0xC0), *range(0xD0, 0xD9))
"""Without parameters: restarts, the start of an image, and those that mean nothing in a file."""

MARKER = re.compile(rb"\xff++(?=[\x01-\xfe])")
"""Any number of fill bytes may precede it (ITU-T T.81 B.1.1.2)."""
DATA_END = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
"""A marker of any kind but a restart, which ends the data of a scan: there, zero follows an FF."""
JPEG_LS_DATA_END = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
"""Likewise of JPEG-LS, where a bit of zero follows an FF (ITU-T T.87 A.1)."""
MAX_SEGMENTS = 10_000
"""An ICC profile or a preview takes a dozen; each costs time, though it be empty."""


@dataclass(frozen=True)
class Segment:
    """A marker and its parameters.

    Attributes:
        marker: Its second byte.
        body: Its parameters.
        start: Where its marker stands in the file.
        end: Where its parameters end; behind the header of a scan its data begin there.
        following: Where the next marker stands, or its fill bytes; the data of a scan end there.
    """

    marker: int
    body: bytes
    start: int
    end: int
    following: int


def segments(data: bytes) -> Iterator[Segment]:
    """Follow the segments up to the end of the image, which is the last one: what lies behind it is no picture.

    They are taken as libjpeg takes them, so that no scan is decoded that is not among them.

    Args:
        data: A file that begins with `MAGIC`.

    Raises:
        IndexError: If there is no marker where one must be, or no end of the image.
        struct.error: If it ends before its first scan.
        InvalidImageError: If there are more than `MAX_SEGMENTS` before it.
    """
    start, data_end, has_scan = _marker_at(data, 2), DATA_END, False
    for _ in range(MAX_SEGMENTS):
        marker = data[start + 1]
        end = start + 2
        if marker == END_OF_IMAGE:
            if not has_scan:
                raise IndexError("no scan")
            yield Segment(marker, b"", start, end, end)
            return
        if marker not in BARE_MARKERS:
            end += struct.unpack_from(">H", data, end)[0]
        data_end = JPEG_LS_DATA_END if marker == JPEG_LS_FRAME else data_end
        has_scan = has_scan or marker == START_OF_SCAN
        following = end
        if has_scan:
            found = data_end.search(data, end)  # libjpeg skips whatever lies between
            if found is None:
                raise IndexError("no end of the image")
            following = found.start()
        yield Segment(marker, data[start + 4 : end], start, end, following)
        start = following if has_scan else _marker_at(data, end)
    if has_scan:
        raise IndexError("too many segments")
    raise InvalidImageError(f"The JPEG has more than {MAX_SEGMENTS:,} segments before its picture. Save it anew.")


def _marker_at(data: bytes, position: int) -> int:
    found = MARKER.match(data, position)
    if found is None:
        raise IndexError("no marker where one must be")
    return found.end() - 1
