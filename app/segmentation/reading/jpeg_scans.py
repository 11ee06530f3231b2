"""Does a JPEG hold all of its picture? What is missing libjpeg shows as grey, and only warns of it.

Neither Pillow nor imagecodecs nor OpenCV passes that warning on. But bytes behind the last one of a scan change
nothing, unless the scan lacks some: so the frame is decoded with bytes added there, too, and compared.
"""

import random
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import imagecodecs
import numpy as np

from app.segmentation.errors import TruncatedImageError
from app.segmentation.reading.jpeg_segments import (
    END_OF_IMAGE,
    FRAMES,
    LOSSLESS_FRAMES,
    MAX_SEGMENTS,
    START_OF_SCAN,
)

MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
"""Of any kind but a restart."""
RESTART = re.compile(rb"(?<!\xff)\xff[\xd0-\xd7]")
"""Parts the data of a scan into intervals that are decoded each for itself (ITU-T T.81 B.2.1)."""
MAX_RESTARTS = 100_000
"""Intervals that are tried; more would cost memory."""
MORE_INTERVALS = 32
MOST_LOST_PIXELS = 256
"""One block of a film in colours: some encoders spare the last bits."""

PROGRESSIVE = 0xC2
ARITHMETIC = (0xC9, 0xCA, 0xCB)
"""Frames whose encoders leave zeros at the end of a scan out (ITU-T T.81 D.1.8); they may lack any number."""

SURPLUS = bytes(random.Random(0).choices(range(0xFF), k=1024))
"""Anything, but no marker."""


@dataclass(frozen=True)
class Part:
    """A marker segment, and what follows it.

    Attributes:
        marker: Its second byte.
        body: Its parameters.
        written: The segment as it stands in the file, with what no decoder reads before it.
        data: Of a scan, without fill bytes at its end.
    """

    marker: int
    body: bytes
    written: bytes
    data: bytes


def refuse_early_end(frame: bytes) -> None:
    """Refuse a JPEG that lacks more of its picture than `MOST_LOST_PIXELS`.

    Args:
        frame: From its first marker; of a size, and with as many scans, as are read. No JPEG-LS.

    Raises:
        TruncatedImageError: If a scan is missing, or ends early.
        LookupError: If the frame is damaged otherwise.
        ValueError: Likewise.
        RuntimeError: If libjpeg cannot read it.
    """
    parts = list(_parts(frame))
    header, *_ = (part for part in parts if part.marker in FRAMES)
    if header.marker in ARITHMETIC:
        return
    scans = [part.body for part in parts if part.marker == START_OF_SCAN]
    is_whole = _are_all_there(scans, header.body[6::3], header.marker == PROGRESSIVE)
    if not is_whole or _differing(frame, _with_surplus(parts), header) > MOST_LOST_PIXELS:
        raise TruncatedImageError("The JPEG ends early: a part of the picture is missing. Export the film again.")


def _parts(frame: bytes) -> Iterator[Part]:
    """Follow the segments up to the end of the image (ITU-T T.81 B.1.1)."""
    position = 2
    for _ in range(MAX_SEGMENTS):
        found = MARKER.search(frame, position)
        if found is None or found[0][1] == END_OF_IMAGE:
            return
        start = end = found.end() + struct.unpack_from(">H", frame, found.end())[0]
        if found[0][1] == START_OF_SCAN:
            following = MARKER.search(frame, start)
            end = following.start() if following else len(frame)
        data = frame[start:end].rstrip(b"\xff")
        yield Part(found[0][1], frame[found.end() + 2 : start], frame[position:start], data)
        position = start + len(data)
    raise IndexError("too many segments")


def _are_all_there(scans: list[bytes], components: bytes, is_progressive: bool) -> bool:
    """Whether there are scans of every component; of progressive ones, of all the first one's coefficients and bits."""
    missing_bits: dict[int, dict[int, int]] = {component: {} for component in components}
    for scan in scans:
        first, last, bits = scan[-3:] if is_progressive else (0, 63, 0)
        for component in scan[1:-3:2]:
            missing_bits[component].update(dict.fromkeys(range(first, min(last, 63) + 1), bits & 0xF))
    return all(missing_bits.values()) and missing_bits[components[0]] == dict.fromkeys(range(64), 0)


def _with_surplus(parts: list[Part]) -> bytes:
    """The frame again, with bytes behind the data of every interval, and more intervals behind the last."""
    pieces = [b"\xff\xd8"]
    for part in parts:
        pieces.append(part.written)
        if part.marker == START_OF_SCAN:
            data, count = RESTART.subn(lambda found: SURPLUS[:256] + found[0], part.data, count=MAX_RESTARTS)
            restarts = (bytes([0xFF, 0xD0 + number % 8]) for number in range(count, count + MORE_INTERVALS))
            pieces += [data, SURPLUS, *(restart + SURPLUS[:256] for restart in restarts)]
    return b"".join([*pieces, b"\xff", bytes([END_OF_IMAGE])])


def _differing(frame: bytes, other: bytes, header: Part) -> int:
    """In how many pixels two frames differ; of luma and chroma in luma."""
    components = header.body[5]
    colours = "GRAYSCALE" if components == 3 and header.marker not in LOSSLESS_FRAMES else None
    one, two = (imagecodecs.jpeg8_decode(data, outcolorspace=colours) for data in (frame, other))
    differing = one != two
    return int(np.count_nonzero(differing.any(axis=-1) if differing.ndim == 3 else differing))
