"""The picture in a WebP file, and whether all of it is there (RFC 9649)."""

import io
import struct
from dataclasses import dataclass

from PIL import Image

LOSSY, LOSSLESS = b"VP8 ", b"VP8L"
"""Chunks with a picture in them."""
FRAME, FRAME_HEADER = b"ANMF", 24
"""The chunk of an animation that has such a chunk in it, and the bytes before that."""
NOTHING = b"junk\0\0\0\0"
"""A chunk that no decoder knows."""
MAX_CHUNKS = 200_000
"""A film has half a dozen; each costs time, though it be empty."""


@dataclass(frozen=True)
class Chunk:
    """A picture in a file.

    Attributes:
        kind: `LOSSY` or `LOSSLESS`.
        start: Where its header stands.
        end: Where the next chunk begins.
    """

    kind: bytes
    start: int
    end: int


def picture_in(data: bytes) -> Chunk | None:
    """Find the first picture, behind the chunks that only describe it (2.3, 2.7); None if it is not there."""
    start = 12
    for _ in range(MAX_CHUNKS):
        kind, size = data[start : start + 4], int.from_bytes(data[start + 4 : start + 8], "little")
        end = start + 8 + size + size % 2
        if end > len(data):
            return None
        if kind in (LOSSY, LOSSLESS):
            return Chunk(kind, start, end)
        start = start + FRAME_HEADER if kind == FRAME else end
    return None


def refuse_filled(data: bytes, picture: Chunk) -> None:
    """Refuse a picture that was cut off and filled to its old length, as an interrupted copy leaves it.

    What it was filled with is decoded like any data. A sound picture may end in as many zeros, where it is black; but
    its decoder needs them all. So it is decoded again, without the last ones.

    Raises:
        ValueError: If that succeeds.
    """
    tail = picture.end - len(NOTHING)
    body = picture.start + 8
    if tail < body or len(set(data[tail : picture.end])) > 1:
        return
    size = struct.pack("<L", tail - body)
    shortened = data[: picture.start + 4] + size + data[body:tail] + NOTHING + data[picture.end :]
    try:
        with Image.open(io.BytesIO(shortened), formats=("WEBP",)) as source:
            source.load()
    except (OSError, SyntaxError, ValueError):
        return
    raise ValueError("the picture does not need its end")
