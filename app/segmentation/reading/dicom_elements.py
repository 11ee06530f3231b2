"""A DICOM object (PS3.10) to the few elements that are asked for: tolerant of what departments send, and bounded.

pydicom stops at an unknown VR, believes a second file meta group, and reads values and sequences of any length; so
elements are found here, and handed on as pydicom's own raw elements.
"""

import zlib
from collections.abc import Collection

from pydicom.config import IGNORE
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from app.segmentation.errors import FileTooLargeError, TruncatedImageError
from app.segmentation.reading.dicom_walk import META_GROUP, VRS, DicomObject, Walk
from app.segmentation.reading.radiograph import MAX_BYTES

MAX_INFLATED_BYTES = MAX_BYTES
TRANSFER_SYNTAX, MEDIA_CLASS = 0x00020010, 0x00020002
GE_BIG_ENDIAN_PIXELS = "1.2.840.113619.5.2"
"""General Electric's own syntax: implicit VR little endian, but for the words of Pixel Data (as DCMTK knows it)."""


def looks_like_dicom(data: bytes) -> bool:
    """Whether to read a file as DICOM: by its magic number, or by its first two elements if the preamble is missing."""
    if data[128:132] == b"DICM":
        return True
    if len(data) < 16:
        return False
    walk = _walk_of(data, 0, "")
    group = walk.tag_at(0) >> 16
    return group in (0x0002, 0x0004, 0x0008) and walk.follows(0)


def read_elements(data: bytes, keywords: Collection[str]) -> DicomObject:
    """Find elements of a file.

    Args:
        data: The whole file, of which `looks_like_dicom` holds.
        keywords: The elements wanted, by DICOM keyword, or by tag, eight hexadecimal digits, where groups share a
            keyword. All of a wanted sequence's first items are kept.

    Returns:
        The elements that the file has before its pixel data, values cut at `MAX_VALUE_BYTES`.

    Raises:
        InvalidImageError: If the header has more than `MAX_ELEMENTS`, or a longer value among the `INDISPENSABLE`.
        FileTooLargeError: If it inflates to more than `MAX_INFLATED_BYTES`.
        TruncatedImageError: If it was cut off and filled to its old length, and inflates to more than the film has.
    """
    found = DicomObject()
    beginning = 132 if data[128:132] == b"DICM" else 0
    start, has_end = _read_meta(data, beginning, found), True
    found.is_dicom_file = start > 0
    if not _walk_of(data, start, found.syntax).follows(start):
        data, start, has_end = _deflated_or_not(data, start, found.syntax)
    walk = _walk_of(data, start, found.syntax)
    found.is_big_endian = walk.order == ">" or found.syntax == GE_BIG_ENDIAN_PIXELS
    wanted = {int(Tag(keyword)) for keyword in keywords}
    elements = walk.elements(start, len(data), wanted, 0, found)
    found.header = Dataset(elements)
    if not has_end and found.pixels is not None:
        *_, length, start = walk.header_at(walk.position)
        if start + length < len(data):  # else they are all there, or the decoder misses some
            raise TruncatedImageError("The pixel data ends early or is damaged; export the film again.")
    return found


def _read_meta(data: bytes, position: int, found: DicomObject) -> int:
    """Read the file meta group, and return where the data set begins."""
    is_big_endian = data[position : position + 2] == b"\0\2"  # against PS3.10 7.1, as the data set behind it
    walk = Walk(data, ">" if is_big_endian else "<", False)
    while position + 8 <= len(data) and walk.tag_at(position) >> 16 == META_GROUP:
        tag, _, length, start = walk.header_at(position)
        position = start + length
        if position > len(data):
            found.is_cut = True
            return len(data)
        if tag in (TRANSFER_SYNTAX, MEDIA_CLASS):
            value = data[start : min(position, start + 64)].decode("latin-1").strip(" \0")
            uid = UID(value, validation_mode=IGNORE)
            setattr(found, "syntax" if tag == TRANSFER_SYNTAX else "media_class", uid)
    return position


def _deflated_or_not(data: bytes, start: int, syntax: str) -> tuple[bytes, int, bool]:
    """Inflate a data set that does not begin with an element, if that makes it one.

    Returns:
        The data set, where it begins, and whether it has an end: a deflated one that was cut off has none.
    """
    try:
        inflated, has_end = _inflated(data[start:])
    except zlib.error:
        if syntax == DeflatedExplicitVRLittleEndian:
            raise
        return data, start, True  # its first element is damaged
    is_data_set = syntax == DeflatedExplicitVRLittleEndian or _walk_of(inflated, 0, "").follows(0)
    return (inflated, 0, has_end) if is_data_set else (data, start, True)


def _inflated(data: bytes) -> tuple[bytes, bool]:
    """Inflate a data set as far as allowed, and say whether it has an end; one that is cut yields what it has."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = stream.decompress(data, MAX_INFLATED_BYTES + 1)
    except zlib.error:  # some writers put the header of zlib or gzip before the stream
        stream = zlib.decompressobj(zlib.MAX_WBITS | 32)
        inflated = stream.decompress(data, MAX_INFLATED_BYTES + 1)
    if len(inflated) > MAX_INFLATED_BYTES:
        raise FileTooLargeError(
            f"The file inflates to more than {MAX_INFLATED_BYTES // 2**20} MiB. Send a single film, not deflated."
        )
    return inflated, stream.eof


def _walk_of(data: bytes, start: int, syntax: str) -> "Walk":
    """Tell byte order and kind of VR by the first element; where it leaves them open, by the transfer syntax."""
    group = data[start : start + 2]
    little, big = int.from_bytes(group, "little"), int.from_bytes(group, "big")
    is_big = big < little if big != little else syntax == ExplicitVRBigEndian
    order = ">" if is_big else "<"
    if data[start + 4 : start + 6] in VRS:
        return Walk(data, order, False)
    implicit = Walk(data, order, True)
    is_implicit = syntax == ImplicitVRLittleEndian or implicit.follows(start)
    return implicit if is_implicit else Walk(data, order, False)
