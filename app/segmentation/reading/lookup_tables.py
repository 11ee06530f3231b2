"""Look-up tables of DICOM objects in every form that is written: modality, VOI, palettes (PS3.3 C.11.1.1, C.7.9.1)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

from app.segmentation.reading.dicom_values import complete_numbers
from app.segmentation.reading.radiograph import full_scale

MAX_SEGMENTS = 2**17


@dataclass(frozen=True)
class Table:
    """A look-up table.

    Attributes:
        entries: int32 (N,); entries that are missing at the end repeat the last.
        first: Input that the first entry belongs to; smaller ones get it too, and larger ones than the last the last.
        top: The entry that is shown white.
        is_whole: Whether at most one in a hundred entries was missing.
    """

    entries: np.ndarray
    first: int
    top: int
    is_whole: bool = True

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """Look up inputs, rounded to whole ones."""
        places = np.clip(np.round(inputs) - self.first, 0, len(self.entries) - 1)
        return self.entries[places.astype(np.int32)]


def read_table(item: Dataset, inputs: tuple[float, float]) -> Table | None:
    """Read a Modality or VOI LUT.

    Args:
        item: An item of the sequence, with LUT Descriptor and LUT Data.
        inputs: The smallest and largest input there can be, which tell whether the first one is signed.

    Returns:
        The table, or None if it has fewer than half of its entries.
    """
    described = _described(item, "LUTDescriptor")
    if described is None:
        return None
    count, first, bits = described
    entries = _entries(item, "LUTData", count, bits)
    if 2 * len(entries) < count:
        return None
    missing = count - len(entries)
    top = full_white(int(entries.max()), bits)
    entries = np.pad(entries, (0, missing), "edge")
    return Table(entries, _with_sign(first, count, inputs), top, is_whole=100 * missing <= count)


def read_palette(header: Dataset, inputs: tuple[float, float]) -> tuple[list[Table], int] | None:
    """Read the three tables of a palette, segmented or not; None if there is no usable one.

    Returns:
        Tables of red, green and blue, and the entry that is full brightness.
    """
    tables = []
    for colour in ("Red", "Green", "Blue"):
        described = _described(header, f"{colour}PaletteColorLookupTableDescriptor")
        if described is None:
            return None
        count, first, bits = described
        entries = _entries(header, f"{colour}PaletteColorLookupTableData", count, bits)
        if not len(entries):
            entries = _expanded(header, f"Segmented{colour}PaletteColorLookupTableData", count, bits)
        if not len(entries):
            return None
        tables.append((entries, _with_sign(first, count, inputs), bits))
    top = full_white(max(int(entries.max()) for entries, _, _ in tables), tables[0][2])
    return [Table(entries, first, top) for entries, first, _ in tables], top


def full_white(largest: int, bits: int) -> int:
    """The entry shown white: what the descriptor says, never the largest that happens to be there.

    Except where the largest is itself all ones of fewer bits, as in tables of 12 bits that claim 16; and where the
    descriptor cannot be true.
    """
    if not (1 <= bits <= 16 and largest < 2**bits):
        return full_scale(largest)
    return largest if largest >= 255 and largest & (largest + 1) == 0 else 2**bits - 1


def _described(item: Dataset, keyword: str) -> tuple[int, int, int] | None:
    """Number of entries, first input (unsigned) and depth, of a descriptor; 0 entries means 65,536."""
    values = complete_numbers(item, keyword)
    if len(values) < 3:
        return None
    count, first, bits = (int(value) & 0xFFFF for value in values[:3])
    return count or 2**16, first, bits


def _with_sign(first: int, count: int, inputs: tuple[float, float]) -> int:
    """Read the first input as signed where this covers more of what is put in (PS3.3 C.11.2.1.1), else as unsigned."""
    low, high = inputs

    def covered(start: int) -> float:
        return min(start + count - 1, high) - max(start, low)

    return first - 2**16 if first >= 2**15 and covered(first - 2**16) > covered(first) else first


def _entries(item: Dataset, keyword: str, count: int, bits: int) -> np.ndarray:
    """Entries as words, or as bytes where they are of 8 bits and half as long as words would be; at most `count`."""
    words, packed = _words_and_bytes(item, keyword)
    if bits <= 8 and len(packed) < 2 * count - 1 and not _is_in_words(packed):
        return packed[:count].astype(np.int32)
    return words[:count].astype(np.int32)


def _words_and_bytes(item: Dataset, keyword: str) -> tuple[np.ndarray, np.ndarray]:
    element = item.get_item(keyword)
    if not isinstance(element, RawDataElement) or element.value is None:
        return np.zeros(0, np.uint16), np.zeros(0, np.uint8)
    value = element.value
    even = value[: len(value) // 2 * 2]
    words = np.frombuffer(even, "<u2" if element.is_little_endian else ">u2")
    if element.VR == "OB" or len(value) % 2:
        return words, np.frombuffer(value, np.uint8)
    return words, words.astype("<u2").view(np.uint8)  # two bytes a word, the first one lower (PS3.5 8.1.1)


def _expanded(header: Dataset, keyword: str, count: int, bits: int) -> np.ndarray:
    """Expand a segmented palette (PS3.3 C.7.9.2), by no more than the `count` of its descriptor."""
    words, packed = _words_and_bytes(header, keyword)
    are_bytes = bits <= 8 and not _is_in_words(packed)
    entries: list[int] = []
    for kind, arguments in _segments((packed if are_bytes else words).tolist(), 8 if are_bytes else 16):
        if len(entries) >= count:
            break
        if kind == 0:
            entries += arguments
        elif entries and arguments[0]:
            length, last = arguments
            entries += np.linspace(entries[-1], last, length + 1)[1:].round().astype(int).tolist()
    return np.array(entries[:count], np.int32)


def _is_in_words(packed: np.ndarray) -> bool:
    """Whether every second byte is empty: entries of 8 bits were written one a word."""
    return len(packed) > 2 and not packed[1::2].any()


def _segments(values: list[int], depth: int) -> Iterator[tuple[int, list[int]]]:
    """Yield discrete segments (0, entries) and linear ones (1, [length, end]); indirect ones as what they refer to."""
    width = depth // 8
    waiting = [(0, -1)]  # position, and how many segments from there on; -1: all
    starts = 0
    while waiting and starts < MAX_SEGMENTS:
        position, left = waiting.pop()
        if left == 0 or position + 2 > len(values):
            continue
        starts += 1
        kind, length = values[position], values[position + 1]
        if kind == 0:
            yield 0, values[position + 2 : position + 2 + length]
            waiting.append((position + 2 + length, left - 1))
        elif kind == 1 and position + 3 <= len(values):
            yield 1, [length, values[position + 2]]
            waiting.append((position + 3, left - 1))
        elif kind == 2 and position + 2 + 4 // width <= len(values):
            parts = values[position + 2 : position + 2 + 4 // width]
            offset = sum(part << depth * place for place, part in enumerate(parts))  # in bytes
            waiting.append((position + 2 + 4 // width, left - 1))
            waiting.append((offset // width, length))
        else:
            return
