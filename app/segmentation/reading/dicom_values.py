"""Values of raw elements, as leniently read as is safe: pydicom's checks refuse what departments send."""

import re
import struct

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

BINARY = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "FL": "f", "FD": "d", "US or SS": "H", "OW": "H", "UV": "Q"}
TEXTUAL = ("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT")
LONGEST_SHOWN = 64
"""Characters of a header's value that a message repeats."""


def texts(dataset: Dataset, keyword: str) -> list[str]:
    """Split a value at its backslashes, without padding; no values if there is none."""
    element = dataset.get_item(keyword)
    value = None if element is None else element.value
    if value is None or value == b"":
        return []
    if isinstance(value, bytes):
        return [part.strip(" \0\t\r\n") for part in value.decode("latin-1").split("\\")]
    return [str(part) for part in (value if isinstance(value, list | tuple) else [value])]


def text(dataset: Dataset, keyword: str) -> str:
    """The first value that is not empty, no longer than a message may repeat; "" if there is none."""
    return next((part[:LONGEST_SHOWN] for part in texts(dataset, keyword) if part), "")


def code(dataset: Dataset, keyword: str) -> str:
    """`text` as a defined term is written: upper case, words joined by one blank."""
    return " ".join(text(dataset, keyword).upper().split())


def numbers(dataset: Dataset, keyword: str) -> list[float | None]:
    """Read numbers of whatever VR they were written in; None for each that is empty or is none.

    Where a computer's language writes a decimal comma, so do some machines: 1500,0. A comma between two decimal
    points divides two values: 0.70,0.70.
    """
    element = dataset.get_item(keyword)
    if element is None or element.value is None:
        return []
    if not isinstance(element.value, bytes):
        return [_number(part) for part in texts(dataset, keyword)]
    vr = element.VR if element.VR in BINARY or element.VR in TEXTUAL else dictionary_VR(element.tag)
    if vr in BINARY:
        is_little_endian = not isinstance(element, RawDataElement) or element.is_little_endian
        return _unpacked(element.value, "<" if is_little_endian else ">", BINARY[vr])
    parts = texts(dataset, keyword)
    return [_number(piece) for part in parts for piece in (part.split(",") if part.count(".") > 1 else [part])]


def complete_numbers(dataset: Dataset, keyword: str) -> list[float]:
    """`numbers` if every one of them is one; none at all otherwise."""
    values = numbers(dataset, keyword)
    known = [value for value in values if value is not None]
    return known if len(known) == len(values) else []


def integer(dataset: Dataset, keyword: str) -> int | None:
    """The first value as a whole number; None if there is none."""
    first = next(iter(numbers(dataset, keyword)), None)
    return int(first) if first is not None and abs(first) < 2**53 else None


def _unpacked(value: bytes, order: str, form: str) -> list[float | None]:
    count = len(value) // struct.calcsize(order + form)
    return list(struct.unpack_from(f"{order}{count}{form}", value))


def _number(written: str) -> float | None:
    written = written.strip()
    if re.fullmatch(r"[^,.]*,[^,.]*", written):
        written = written.replace(",", ".")
    try:
        return float(written)
    except ValueError:
        return None
