"""Does a JPEG hold all of its picture? What is missing libjpeg shows as grey, and only warns of it.

Neither Pillow nor imagecodecs nor OpenCV passes that warning on. But bytes behind the last one of a scan change
nothing, unless the scan lacks some: so the frame is decoded with bytes added there, too, and compared.
"""

import random
import re

import imagecodecs
import numpy as np

from app.segmentation.errors import TruncatedImageError
from app.segmentation.reading.jpeg_segments import FRAMES, LOSSLESS_FRAMES, START_OF_SCAN, Segment, segments

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


def refuse_early_end(frame: bytes) -> None:
    """Refuse a JPEG that lacks more of its picture than `MOST_LOST_PIXELS`.

    Args:
        frame: From its first marker to its last; of a size, and with as many scans, as are read. No JPEG-LS.

    Raises:
        TruncatedImageError: If a scan is missing, or ends early.
        LookupError: If the frame is damaged otherwise.
        ValueError: Likewise.
        RuntimeError: If libjpeg cannot read it.
    """
    parts = list(segments(frame))
    header, *_ = (part for part in parts if part.marker in FRAMES)
    if header.marker in ARITHMETIC:
        return
    scans = [part.body for part in parts if part.marker == START_OF_SCAN]
    is_whole = _are_all_there(scans, header.body[6::3], header.marker == PROGRESSIVE)
    if not is_whole or _differing(frame, _with_surplus(frame, parts), header) > MOST_LOST_PIXELS:
        raise TruncatedImageError("The JPEG ends early: a part of the picture is missing. Export the film again.")


def _are_all_there(scans: list[bytes], components: bytes, is_progressive: bool) -> bool:
    """Whether there are scans of every component; of progressive ones, of all the first one's coefficients and bits."""
    missing_bits: dict[int, dict[int, int]] = {component: {} for component in components}
    for scan in scans:
        first, last, bits = scan[-3:] if is_progressive else (0, 63, 0)
        for component in scan[1:-3:2]:
            missing_bits[component].update(dict.fromkeys(range(first, min(last, 63) + 1), bits & 0xF))
    return all(missing_bits.values()) and missing_bits[components[0]] == dict.fromkeys(range(64), 0)


def _with_surplus(frame: bytes, parts: list[Segment]) -> bytes:
    """The frame again, with bytes behind the data of every interval, and more intervals behind the last."""
    pieces, copied = [], 0
    for part in parts:
        if part.marker == START_OF_SCAN:
            written = frame[part.end : part.following].rstrip(b"\xff")
            data, count = RESTART.subn(lambda found: SURPLUS[:256] + found[0], written, count=MAX_RESTARTS)
            restarts = (bytes([0xFF, 0xD0 + number % 8]) for number in range(count, count + MORE_INTERVALS))
            pieces += [frame[copied : part.end], data, SURPLUS, *(restart + SURPLUS[:256] for restart in restarts)]
            copied = part.end + len(written)
    return b"".join([*pieces, frame[copied:]])


def _differing(frame: bytes, other: bytes, header: Segment) -> int:
    """In how many pixels two frames differ; of luma and chroma in luma."""
    is_colour = header.body[5] == 3
    is_lossless = header.marker in LOSSLESS_FRAMES
    stored = "YCBCR" if is_colour and is_lossless else None  # which libjpeg would not convert
    shown = "GRAYSCALE" if is_colour and not is_lossless else stored
    one, two = (imagecodecs.jpeg8_decode(data, colorspace=stored, outcolorspace=shown) for data in (frame, other))
    differing = one != two
    return int(np.count_nonzero(differing.any(axis=-1) if differing.ndim == 3 else differing))
