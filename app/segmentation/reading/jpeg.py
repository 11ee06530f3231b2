"""A JPEG or JPEG-LS file without all that is no picture: comments, thumbnails and profiles."""

import re
import struct

from app.segmentation.errors import InvalidImageError

MAGIC = b"\xff\xd8\xff"
MAX_SEGMENTS = 10_000
"""Before the first scan. An ICC profile or a preview takes a dozen; each costs time, though it be empty."""

FILL_BYTES = re.compile(rb"\xff+")
COMMENT, START_OF_SCAN, EXIF_SEGMENT = 0xFE, 0xDA, 0xE1
COLOUR_SEGMENTS = {0xE0: b"JFIF", 0xEE: b"Adobe"}
"""Application segments that say which colours the components are."""
MAX_EXIF_SEGMENTS = 2
"""One in binary and one in XMP: both may say how the camera was held."""


def plain_jpeg(data: bytes) -> bytes:
    """Leave out every segment that does not change what is shown (ITU-T T.81 B.2).

    Args:
        data: A file that begins with `MAGIC`.

    Raises:
        InvalidImageError: If it has more than `MAX_SEGMENTS`.
        ValueError: If it ends before its first scan, or is damaged.
    """
    kept, position, exif_segments = [data[:2]], 2, 0
    for _ in range(MAX_SEGMENTS):
        prefix = FILL_BYTES.match(data, position)  # any number of them (ITU-T T.81 B.1.1.2)
        if prefix is None or prefix.end() + 3 > len(data):
            raise ValueError("no marker where one must be")
        position = prefix.end() - 1
        marker, length = struct.unpack_from(">xBH", data, position)
        if marker == START_OF_SCAN:
            return b"".join([*kept, data[position:]])
        segment = data[position : position + 2 + length]
        is_exif = marker == EXIF_SEGMENT and exif_segments < MAX_EXIF_SEGMENTS
        exif_segments += is_exif
        is_application = 0xE0 <= marker <= 0xEF or marker == COMMENT
        says_colours = marker in COLOUR_SEGMENTS and segment[4:].startswith(COLOUR_SEGMENTS[marker])
        if not is_application or is_exif or says_colours:
            kept.append(segment)
        position += 2 + length
    raise InvalidImageError(f"The JPEG has more than {MAX_SEGMENTS:,} segments before its picture. Save it anew.")


def exif_of(plain: bytes) -> bytes:
    """Return the EXIF data of a file from `plain_jpeg`; nothing if there are none."""
    start = plain.find(b"Exif\0\0", 0, 2**17)
    return plain[start : start + 2**16] if start > 0 else b""
