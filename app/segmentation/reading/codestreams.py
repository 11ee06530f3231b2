"""What a compressed frame says of itself, found without decoding it.

Where a codestream and the DICOM header disagree, the codestream counts (PS3.5 8.2).
"""

import math
import struct
from collections import Counter
from dataclasses import dataclass

from app.segmentation.errors import InvalidImageError, TruncatedImageError
from app.segmentation.reading import jpeg_segments
from app.segmentation.reading.jpeg_segments import FRAMES, JPEG_LS_FRAME, LOSSLESS_FRAMES
from app.segmentation.reading.radiograph import refuse_large

J2K_MAGIC = b"\xff\x4f\xff\x51"
JP2_MAGIC = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
START_OF_SCAN, END_OF_IMAGE = b"\xff\xda", b"\xff\xd9"
MAX_SEGMENTS = 20_000
"""Of JPEG 2000 before the first tile, and boxes of a JP2 file."""
START_OF_TILE = b"\xff\x90"
MAX_TILE_PARTS = 200_000
MAX_SCANS = 100
MAX_SCANNED_PIXELS = 600_000_000
"""Pixels times scans: a progressive film of 50 megapixels may have twelve, and has ten."""

UNREADABLE_FRAMES = {0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF}
"""Hierarchical JPEG, which nobody writes and no library reads."""


@dataclass(frozen=True)
class Codestream:
    """A frame and what it announces.

    Attributes:
        data: The codestream, from its first marker.
        kind: "JPEG", "JPEG-LS" or "JPEG 2000".
        columns, rows, components: Its size.
        precision: Bits of a level.
        signed: Whether levels are signed; None where the format does not say.
        is_lossy: Whether levels may overshoot.
        transform: "RGB" if three components are these colours once decoded, "YBR" if they are luma and chroma; "" if
            it does not say.
    """

    data: bytes
    kind: str
    columns: int
    rows: int
    components: int
    precision: int
    signed: bool | None = None
    is_lossy: bool = False
    transform: str = ""


def codestream_of(frame: bytes | memoryview) -> Codestream | None:
    """Read what a frame announces; None if it is no JPEG, JPEG-LS or JPEG 2000.

    Raises:
        TruncatedImageError: If it ends early.
        InvalidImageError: If it would take unreasonably long to decode.
    """
    head = bytes(frame[:12])
    try:
        if head == JP2_MAGIC:
            return _jpeg_2000(_boxed(bytes(frame)))
        if head.startswith(J2K_MAGIC):
            return _jpeg_2000(bytes(frame))
        if head.startswith(jpeg_segments.MAGIC):
            return _jpeg(bytes(frame))
    except (struct.error, IndexError) as error:
        raise TruncatedImageError("The pixel data ends early or is damaged; export the film again.") from error
    return None


def refuse_many_scans(jpeg: bytes | memoryview, columns: int, rows: int) -> None:
    """Refuse a progressive JPEG with more scans than anybody's, each of which costs a pass over all pixels.

    Raises:
        InvalidImageError: If it has more than `MAX_SCANS`, or passes over more than `MAX_SCANNED_PIXELS`.
    """
    scans = bytes(jpeg).count(START_OF_SCAN)  # inside a scan's data, zero follows an FF (ITU-T T.81 B.1.1.5)
    most = min(MAX_SCANS, MAX_SCANNED_PIXELS // max(columns * rows, 1))
    if scans > most:
        raise InvalidImageError(f"The JPEG has {scans} scans; at most {most} are read of its size. Save it anew.")


def _jpeg(frame: bytes) -> Codestream:
    """Read marker segments up to the first scan (ITU-T T.81 B.2; T.87 C.2 for JPEG-LS)."""
    transform, is_jfif, near, found, picture = "", False, 0, None, 0
    for segment in jpeg_segments.segments(frame):
        marker, body = segment.marker, segment.body
        if marker in FRAMES and found is None:
            found = marker, body
        elif marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
            transform = "YBR" if body[11] else "RGB"
        elif marker == 0xE0 and body.startswith(b"JFIF"):
            is_jfif = True
        elif marker == jpeg_segments.START_OF_SCAN:
            near, picture = body[1 + 2 * body[0]], segment.start
    if found is None:
        raise IndexError("a scan before its frame")
    marker, body = found
    precision, rows, columns, components = struct.unpack_from(">BHHB", body)
    if marker in UNREADABLE_FRAMES:
        raise InvalidImageError("Hierarchical JPEG cannot be read; export the film uncompressed.")
    is_jpeg_ls = marker == JPEG_LS_FRAME
    is_dct = not is_jpeg_ls and marker not in LOSSLESS_FRAMES
    if components == 3 and not is_jpeg_ls:
        transform = transform or _unmarked_colours(body, is_jfif, is_dct)
    refuse_large(columns, rows)
    refuse_many_scans(frame, columns, rows)
    if frame.rfind(END_OF_IMAGE) < picture:
        raise IndexError("no end of the image")
    return Codestream(
        frame, "JPEG-LS" if is_jpeg_ls else "JPEG", columns, rows, components, precision,
        is_lossy=is_dct or (is_jpeg_ls and near > 0), transform=transform,
    )  # fmt: skip


def _unmarked_colours(frame_header: bytes, is_jfif: bool, is_dct: bool) -> str:
    """Colours by JFIF, by the components' names, or by chroma of less resolution; else "": the DICOM header decides."""
    names, sampling = frame_header[6:15:3], frame_header[7:15:3]
    if is_jfif and is_dct:
        return "YBR"
    if names == b"RGB":
        return "RGB"
    return "YBR" if len(set(sampling)) > 1 else ""


def _boxed(frame: bytes) -> bytes:
    """The codestream in a JP2 file, its box jp2c (ITU-T T.800 I.4; a length of 0 means up to the end)."""
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


def _jpeg_2000(frame: bytes) -> Codestream:
    """Read SIZ and COD (ITU-T T.800 A.5.1, A.6.1)."""
    if bytes(frame[:4]) != J2K_MAGIC:
        raise IndexError("no codestream")
    right, bottom, left, top = struct.unpack_from(">4L", frame, 8)
    (components,) = struct.unpack_from(">H", frame, 40)
    sizes = {bytes(frame[at : at + 3]) for at in range(42, 42 + 3 * min(components, 4), 3)}
    if len(sizes) != 1 or any(size[1:] != b"\1\1" for size in sizes):
        raise InvalidImageError("The JPEG 2000 components differ in size or depth; export the film uncompressed.")
    depth = sizes.pop()[0]
    (length,) = struct.unpack_from(">H", frame, 4)
    position = 4 + length
    has_transform, is_lossy = False, False
    for _ in range(MAX_SEGMENTS):
        if frame[position] != 0xFF or frame[position + 1] == 0x90:  # the first tile
            break
        (length,) = struct.unpack_from(">H", frame, position + 2)
        if frame[position + 1] == 0x52:
            has_transform, is_lossy = frame[position + 8] == 1, frame[position + 13] == 0
        position += 2 + length
    frame = _with_end(frame, position, _tiles(frame))
    return Codestream(
        frame, "JPEG 2000", right - left, bottom - top, components, (depth & 0x7F) + 1,
        signed=bool(depth & 0x80), is_lossy=is_lossy, transform="RGB" if has_transform and components == 3 else "",
    )  # fmt: skip


def _tiles(frame: bytes) -> int:
    """How many tiles SIZ announces."""
    right, bottom, _, _, width, height, left, top = struct.unpack_from(">8L", frame, 8)
    if not (width and height) or left > right or top > bottom:
        raise IndexError("no tiles")
    return math.ceil((right - left) / width) * math.ceil((bottom - top) / height)


def _with_end(frame: bytes, position: int, tiles: int) -> bytes:
    """Follow the tile-parts by their lengths (ITU-T T.800 A.4.2), and end behind the last: some writers do not.

    Raises:
        IndexError: If the last one is cut off, or any is missing, without which a tile is black or blurred.
    """
    seen: Counter[int] = Counter()
    announced: dict[int, int] = {}
    ends_well = False
    for _ in range(MAX_TILE_PARTS):
        if frame[position : position + 2] != START_OF_TILE:
            break
        number, length, _, parts = struct.unpack_from(">HLBB", frame, position + 4)
        seen[number] += 1
        announced[number] = max(parts, announced.get(number, 0))  # 0 where the writer did not know
        if length == 0:  # up to the end
            if frame.rfind(END_OF_IMAGE) < position:
                raise IndexError("no end of the codestream")
            position, ends_well = len(frame), True
            break
        position += length
    if len(seen) < tiles or any(seen[tile] < parts for tile, parts in announced.items()):
        raise IndexError("tiles or parts of them are missing")
    if position > len(frame):
        raise IndexError("the last tile-part ends early")
    ends_well = ends_well or frame[position : position + 2] == END_OF_IMAGE
    return frame if ends_well else frame[:position] + END_OF_IMAGE
