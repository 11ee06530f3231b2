"""Where a JPEG 2000 codestream begins and ends, and whether its tiles are whole (ITU-T T.800)."""

import math
import struct
from collections import Counter

from app.segmentation.errors import TruncatedImageError

START_OF_TILE, END_OF_CODESTREAM = b"\xff\x90", b"\xff\xd9"
CODING_STYLE = 0x52
MAX_SEGMENTS = 20_000
"""Before the first tile, and boxes of a JP2 file."""
MAX_TILE_PARTS = 200_000


def boxed(frame: bytes) -> bytes:
    """The codestream in a JP2 file, its box jp2c (I.4; a length of 0 means up to the end)."""
    position = 0
    for _ in range(MAX_SEGMENTS):
        if position + 8 > len(frame):
            break
        length, kind = struct.unpack_from(">L4s", frame, position)
        header = 8
        if length == 1:
            (length,), header = struct.unpack_from(">Q", frame, position + 8), 16
        if kind == b"jp2c":
            return frame[position + header : position + length if length else len(frame)]
        if length < header:
            break
        position += length
    raise TruncatedImageError("The JPEG 2000 file holds no codestream; export the film again.")


def coding_style(frame: bytes) -> tuple[bytes, int]:
    """Return what COD says (A.6.1), nothing if it is missing, and where the first tile begins."""
    (length,) = struct.unpack_from(">H", frame, 4)
    coding, position = b"", 4 + length
    for _ in range(MAX_SEGMENTS):
        if frame[position] != 0xFF or frame[position + 1] == START_OF_TILE[1]:
            break
        (length,) = struct.unpack_from(">H", frame, position + 2)
        if frame[position + 1] == CODING_STYLE:
            coding = frame[position + 4 : position + 2 + length]
        position += 2 + length
    return coding, position


def with_end(frame: bytes, position: int, coding: bytes) -> bytes:
    """Follow the tile-parts by their lengths (A.4.2), and end behind the last: some writers do not.

    What an interrupted copy leaves lacks that end, too: the rest of a tile-part is zeros, or another filling. A sound
    one may end in bytes that are alike as well, but in one at most for each packet with nothing in it (B.10.3).

    Args:
        frame: The codestream, from its first marker.
        position: Where the first tile-part begins.
        coding: What COD says.

    Raises:
        IndexError: If the last one is cut off, or any is missing, without which a tile is black or blurred.
    """
    seen: Counter[int] = Counter()
    announced: dict[int, int] = {}
    ends_well, start = False, position
    for _ in range(MAX_TILE_PARTS):
        if frame[position : position + 2] != START_OF_TILE:
            break
        number, length, _, parts = struct.unpack_from(">HLBB", frame, position + 4)
        seen[number] += 1
        announced[number] = max(parts, announced.get(number, 0))  # 0 where the writer did not know
        start = position
        if length == 0:  # up to the end
            if frame.rfind(END_OF_CODESTREAM) < position:
                raise IndexError("no end of the codestream")
            position, ends_well = len(frame), True
            break
        position += length
    if len(seen) < _tiles(frame) or any(seen[tile] < parts for tile, parts in announced.items()):
        raise IndexError("tiles or parts of them are missing")
    if position > len(frame):
        raise IndexError("the last tile-part ends early")
    if ends_well or frame[position : position + 2] == END_OF_CODESTREAM:
        return frame
    last = frame[start:position]
    if len(last) - len(last.rstrip(last[-1:])) > _packets(frame, coding):
        raise IndexError("the last tile-part was filled")
    return frame[:position] + END_OF_CODESTREAM


def _tiles(frame: bytes) -> int:
    """How many tiles SIZ announces."""
    right, bottom, _, _, width, height, left, top = struct.unpack_from(">8L", frame, 8)
    if not (width and height) or left > right or top > bottom:
        raise IndexError("no tiles")
    return math.ceil((right - left) / width) * math.ceil((bottom - top) / height)


def _packets(frame: bytes, coding: bytes) -> int:
    """As many packets as a tile may have by SIZ and COD: a layer's part of a precinct each (B.6, B.9)."""
    right, bottom, _, _, width, height, _, _, components = struct.unpack_from(">8LH", frame, 8)
    style, _, layers, _, levels = struct.unpack_from(">BBHBB", coding)
    precincts = 0
    for resolution in range(levels + 1):
        size = coding[10 + resolution] if style & 1 else 0xFF
        shrunk = levels - resolution
        columns, rows = min(right, width) >> shrunk + (size & 0xF), min(bottom, height) >> shrunk + (size >> 4)
        precincts += (columns + 2) * (rows + 2)  # as many as there may be, wherever the tile begins
    return layers * components * precincts
