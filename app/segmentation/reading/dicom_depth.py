"""Stored words to levels of a known depth and sign: what lies above or below them is no part of the picture."""

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from app.segmentation.errors import InvalidImageError
from app.segmentation.reading.dicom_codecs import Layout, Stored
from app.segmentation.reading.dicom_values import integer

OVERLAY_GROUPS = range(0x6000, 0x6020, 2)
ALLOCATED, POSITION = "0100", "0102"
OVERLAYS = tuple(f"{group:04X}{element}" for group in OVERLAY_GROUPS for element in (ALLOCATED, POSITION))
"""Overlay Bits Allocated and Overlay Bit Position of the sixteen groups that there may be (PS3.5 7.6), as tags."""

SAMPLED_ROWS = 256
MOST_OVERLAID = 0.5
"""Share of a film that overlays may cover; where more lies beyond its depth, it is deeper."""
MOST_OVERLAYS = 16
"""Values that the bits above a film's levels may take, if they are overlays."""
STEEPEST = 16
"""Mean steps from pixel to pixel that a word may change by where the bits above its level do, if both are one level.
Below 10 in 999 of 1000 films that are deeper than is said, above 20 at the edges of 98 of 100 overlays."""


@dataclass(frozen=True)
class Levels:
    """Levels of a film.

    Attributes:
        codes: uint8 or uint16, below 2 ** `bits`; two's complement of that many bits where `signed`.
        bits: 8 to 16.
        signed: Whether codes stand for negative levels too.
    """

    codes: np.ndarray
    bits: int
    signed: bool

    @property
    def of_codes(self) -> np.ndarray:
        """The level, int32, that each code stands for."""
        codes = np.arange(2**self.bits, dtype=np.int32)
        return codes - (codes >> (self.bits - 1) << self.bits) if self.signed else codes


def overlay_bits(header: Dataset) -> tuple[int, ...]:
    """Bits of a word that hold overlays by the header (retired: PS3.3-2004 C.9.2, PS3.5-2004 8.1.2).

    Such an overlay has as many bits allocated as the film, others have one. Whoever copied it to Overlay Data
    (60xx,3000) may have left it where it was, too.
    """
    groups = (f"{group:04X}" for group in OVERLAY_GROUPS)
    embedded = (group for group in groups if (integer(header, group + ALLOCATED) or 1) > 1)
    return tuple(bit for group in embedded if (bit := integer(header, group + POSITION)) is not None)


def levels_of(stored: Stored, layout: Layout, overlays: Collection[int] = ()) -> Levels:
    """Keep the bits that are the picture (PS3.5 8.1.1).

    The codestream's depth and sign count before the header's (PS3.5 8.2), with one exception: 8 or 16 bits may be no
    more than the room that an encoder was given. Bits above the header's depth are then an overlay, or the film
    really is that deep, and whichever of the two is smoother is right.

    Args:
        stored: What was decoded.
        layout: What the header says of it.
        overlays: Bits of a word that hold overlays: no level reaches them.

    Raises:
        InvalidImageError: If the depth is unknown or cannot be read.
    """
    size = 8 * stored.levels.itemsize
    signed = layout.signed if stored.signed is None else stored.signed
    header_bits = layout.bits_stored
    if stored.bits is None:
        bits, shift = _native_depth(layout, size)
        levels = _cut_out(stored.levels, bits, shift, signed)
        if not shift and bits < size <= 16 and stored.levels.ndim == 2:
            levels = _deeper_or_not(levels, stored.levels, _room(bits, size, overlays), layout)
    elif stored.bits == size and header_bits is not None and 8 <= header_bits < size:
        levels = _of_room(stored, _room(header_bits, size, overlays), header_bits, layout, signed)
    else:
        levels = _cut_out(stored.levels, max(stored.bits, 8), 0, signed)
    if layout.signed and stored.bits is not None and not stored.signed:  # no codestream but JPEG 2000 says its sign
        as_said, unsigned = (Levels(levels.codes, levels.bits, signed) for signed in (True, False))
        return unsigned if _wraps(as_said, unsigned) else as_said
    return levels


def _native_depth(layout: Layout, size: int) -> tuple[int, int]:
    """Depth of levels that do not say it themselves, and by how many bits they are shifted."""
    bits = layout.bits_stored
    if bits is None:
        raise InvalidImageError("The header lacks Bits Stored (0028,0101); export the film again.")
    if not 8 <= bits <= 16:
        raise InvalidImageError(f"The film has {bits} bits a pixel; 8 to 16 can be read. Export it again.")
    bits = min(bits, size)
    return bits, _shift(layout, bits, size)


def _shift(layout: Layout, bits: int, size: int) -> int:
    """Bits below the levels, by High Bit; a High Bit that cannot be is not believed."""
    if layout.high_bit is None or not bits <= layout.high_bit + 1 <= size:
        return 0
    return layout.high_bit + 1 - bits


def _room(bits: int, size: int, overlays: Collection[int]) -> int:
    """How deep levels can be at most that are said to have `bits`: words of `size` bits, up to the first overlay."""
    return min([size, *(bit for bit in overlays if bit >= bits)])


def _of_room(stored: Stored, room: int, bits: int, layout: Layout, signed: bool) -> Levels:
    """Levels of a codestream as deep as the room for them, of which the header says that they are less deep."""
    shift = _shift(layout, bits, 8 * stored.levels.itemsize)
    top = 2 ** (bits - signed) - 1
    words = stored.levels.view(f"i{stored.levels.itemsize}") if signed else stored.levels
    bottom = -top - 1 if signed else 0
    cut = _cut_out(stored.levels, bits, shift, signed)
    if shift or (words.max() <= top and words.min() >= bottom):
        return cut
    if stored.loss is None:
        return _deeper_or_not(cut, stored.levels, room, layout)
    if room > bits and np.count_nonzero((words > top) | (words < bottom)) > MOST_OVERLAID * words.size:
        return _cut_out(stored.levels, room, 0, signed)
    clipped = np.clip(words, bottom, top).view(stored.levels.dtype)  # what is beyond is overshoot, or an overlay
    return _smoother(_cut_out(clipped, bits, 0, signed), cut)


def _cut_out(levels: np.ndarray, bits: int, shift: int, signed: bool) -> Levels:
    if shift:
        levels = levels >> shift
    top = 2**bits - 1
    if 8 * levels.itemsize > bits and levels.max(initial=0) > top:
        levels = levels & levels.dtype.type(top)
    wanted = np.uint8 if levels.itemsize == 1 else np.uint16
    return Levels(levels.astype(wanted, copy=False), bits, signed)


def _deeper_or_not(cut: Levels, words: np.ndarray, room: int, layout: Layout) -> Levels:
    """Levels as deep as the header says, unless the bits above them, in words with that room, show that it is wrong.

    The sign of a level is its High Bit (PS3.5 8.1.1), and whether it is repeated above is left open: where it is
    nowhere, the bits above show nothing.
    """
    if room == cut.bits:
        return cut
    deeper = _cut_out(words, room, 0, cut.signed)
    if layout.signed and deeper.codes.max() < 2**cut.bits:
        return cut
    return deeper if _wraps(cut, deeper) else cut


def _wraps(cut: Levels, deeper: Levels) -> bool:
    """Whether levels jump wherever the bits above them change, and whole words do not: both are one level, cut in two.

    A deeper film passes a multiple of 2 ** `cut.bits` no more steeply than any other level, and its lower bits are as
    good as random there. Under the edge of an overlay they are levels like any others, and the whole words jump, the
    more so where a film has an edge there itself. More values above than a few overlays can take are no overlays.
    """
    step = max(1, len(cut.codes) // SAMPLED_ROWS)
    whole, levels = (one.of_codes[one.codes[::step]] for one in (deeper, cut))
    above = whole - levels
    changes = above[:, 1:] != above[:, :-1]
    if not changes.any():
        return False
    of_whole, of_levels = (np.abs(np.diff(values, axis=1)) for values in (whole, levels))
    there = float(np.median(of_whole[changes]))
    beneath = float(np.median(of_levels[changes]))
    elsewhere = float(of_whole.mean(where=~changes)) if not changes.all() else math.inf
    is_smooth = there < beneath and there < STEEPEST * elsewhere
    return beneath > 2**cut.bits / 6 and (is_smooth or len(np.unique(above)) > MOST_OVERLAYS)


def _smoother(one: Levels, other: Levels) -> Levels:
    """Whichever jumps less between neighbours, `one` if both do alike: levels misread wrap around at their ends."""
    return one if _roughness(one) <= _roughness(other) else other


def _roughness(levels: Levels) -> float:
    step = max(1, len(levels.codes) // SAMPLED_ROWS)
    sampled = levels.of_codes[levels.codes[::step]]
    return float(np.abs(np.diff(sampled, axis=1)).mean())
