"""A PNG without all that is no picture: texts, profiles and animation, which no decoder then trips over."""

import struct
import zlib
from dataclasses import dataclass

from app.segmentation.errors import InvalidImageError
from app.segmentation.reading.radiograph import refuse_large

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEPT = (b"IHDR", b"PLTE", b"tRNS", b"eXIf")
"""Size, palette, transparency and orientation; beside the picture itself."""

MAX_CHUNKS = 200_000
"""A film of 50 megapixels in chunks of a kilobyte has half of them; each costs time, though it be empty."""
MAX_EXIF_BYTES = 2**16
CHUNK_OVERHEAD = 12

SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Of a pixel, by colour type (W3C PNG 11.2.1)."""
PALETTE = 3
"""The colour type of indices."""
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""First column and row, and steps of both, of the parts of an interlaced picture (W3C PNG 8.1)."""
COMPRESSED_AT_ONCE = 2**16
"""Bytes, which inflate to a thousand times as many at most."""


@dataclass(frozen=True)
class Png:
    """A PNG that holds nothing but its picture.

    Attributes:
        data: The file.
        size: (Width, height) in pixels.
        bits: Depth of a level or index.
        transparent: Levels, of 16 bits, of the one colour that is transparent (11.3.1.1); empty if there is none.
        exif: EXIF data; empty if there are none.
        frames: How many pictures the file shows in turn.
    """

    data: bytes
    size: tuple[int, int]
    bits: int
    transparent: tuple[int, ...]
    exif: bytes
    frames: int


def plain_png(data: bytes) -> Png:
    """Read the chunks of a file that begins with `SIGNATURE` (W3C PNG 5.3).

    Raises:
        InvalidImageError: If it has more than `MAX_CHUNKS`.
        TooManyPixelsError: If it has more pixels than are read.
        ValueError: If it is damaged, or ends inside its picture.
        zlib.error: Likewise.
    """
    kept, picture = {}, []
    frames, is_animated_from_start = 1, False
    for kind, body in _chunks(data):
        if kind == b"IDAT":
            picture.append(body)
        elif kind in KEPT and kind not in kept and len(body) <= MAX_EXIF_BYTES:
            kept[kind] = bytes(body)
        elif kind == b"acTL":
            frames = int.from_bytes(body[:4], "big")
        elif kind == b"fcTL" and not picture:
            is_animated_from_start = True
    if b"IHDR" not in kept or not picture:
        raise ValueError("no header, or no picture")
    width, height, bits = struct.unpack_from(">IIB", kept[b"IHDR"])
    refuse_large(width, height)
    compressed = b"".join(picture)
    _refuse_missing_rows(kept[b"IHDR"], compressed)
    transparent: tuple[int, ...] = ()
    if b"tRNS" in kept and kept[b"IHDR"][9] != PALETTE:
        transparent = _transparent(kept[b"IHDR"], kept.pop(b"tRNS"))
        if transparent and bits < 16:
            scale = 255 // (2**bits - 1)  # which Pillow multiplies levels of fewer bits by, and not this one
            kept[b"tRNS"] = struct.pack(f">{len(transparent)}H", *(level * scale for level in transparent))
            transparent = ()
    chunks = [*((kind, kept[kind]) for kind in KEPT if kind in kept), (b"IDAT", compressed), (b"IEND", b"")]
    plain = SIGNATURE + b"".join(map(_chunk, *zip(*chunks, strict=True)))
    is_shown_too = frames > 1 and not is_animated_from_start  # the picture itself is no frame of the animation
    exif = kept.get(b"eXIf", b"")
    return Png(plain, (width, height), bits, transparent, exif, max(frames, 1) + is_shown_too)


def _chunks(data: bytes) -> list[tuple[bytes, memoryview]]:
    """Kind and body of every chunk up to the end; a sum is checked where a wrong one would show."""
    view, position, chunks = memoryview(data), len(SIGNATURE), []
    while position + CHUNK_OVERHEAD <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        body = view[position + 8 : position + 8 + length]
        position += CHUNK_OVERHEAD + length
        if position > len(data):
            if kind[:1].isupper():
                raise ValueError("the file ends inside a chunk")
            break
        if kind[:1].isupper() and zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(view[position - 4 : position]):
            raise ValueError(f"the sum of {kind!r} is wrong")
        chunks.append((kind, body))
        if kind == b"IEND":
            break
        if len(chunks) > MAX_CHUNKS:
            raise InvalidImageError(f"The PNG consists of more than {MAX_CHUNKS:,} chunks. Save it anew.")
    return chunks


def _transparent(header: bytes, body: bytes) -> tuple[int, ...]:
    """Levels of the one colour that is transparent, of which bits above the depth mean nothing (11.3.1.1)."""
    bits, samples = header[8], SAMPLES[header[9]]
    if samples % 2 == 0 or len(body) < 2 * samples:
        return ()  # beside an alpha channel it must not be
    return tuple(level & (2**bits - 1) for level in struct.unpack_from(f">{samples}H", body))


def _refuse_missing_rows(header: bytes, compressed: bytes) -> None:
    """Refuse a picture that inflates to fewer bytes than its rows have: Pillow shows the others black."""
    width, height, bits, colour_type, _, _, is_interlaced = struct.unpack_from(">IIBBBBB", header)
    bits *= SAMPLES[colour_type]
    missing = 0
    for column, row, step, row_step in PASSES if is_interlaced else ((0, 0, 1, 1),):
        columns, rows = -((column - width) // step), -((row - height) // row_step)
        missing += rows * (1 + (columns * bits + 7) // 8) if columns > 0 else 0
    inflating = zlib.decompressobj()
    for start in range(0, len(compressed), COMPRESSED_AT_ONCE):
        missing -= len(inflating.decompress(compressed[start : start + COMPRESSED_AT_ONCE]))
        if missing <= 0:
            return
    raise ValueError("rows are missing")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
