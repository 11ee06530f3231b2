"""DICOM objects changed byte by byte, into what no library would write."""

import struct

from pydicom.uid import UID

LONG_VRS = (b"OB", b"OW", b"SQ", b"UN", b"UT")


def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    """Write an element in explicit VR, little endian."""
    value += b" " * (len(value) % 2)
    length = struct.pack("<HL", 0, len(value)) if vr in LONG_VRS else struct.pack("<H", len(value))
    return struct.pack("<HH2s", group, number, vr) + length + value


def implicit_element(group: int, number: int, value: bytes) -> bytes:
    """Write an element in implicit VR, whose length must be even."""
    return struct.pack("<HHL", group, number, len(value)) + value


def _find(data: bytes, tag: tuple[int, int]) -> int:
    """Where an element of an explicit, little endian object begins."""
    position = 132
    while struct.unpack_from("<HH", data, position) < tag:
        vr = data[position + 4 : position + 6]
        form, at, skipped = ("<L", 8, 12) if vr in LONG_VRS else ("<H", 6, 8)
        position += skipped + struct.unpack_from(form, data, position + at)[0]
    return position


def inserted(data: bytes, before: tuple[int, int], odd: bytes) -> bytes:
    """Put bytes before the first element that is not below a tag."""
    at = _find(data, before)
    return data[:at] + odd + data[at:]


def replaced(data: bytes, tag: tuple[int, int], value: bytes, vr: bytes | None = None) -> bytes:
    """Give an element another value, and VR."""
    at = _find(data, tag)
    old = data[at + 4 : at + 6]
    end = at + 8 + struct.unpack_from("<H", data, at + 6)[0]
    return data[:at] + element(*tag, vr or old, value) + data[end:]


def relabelled(data: bytes, syntax: UID) -> bytes:
    """Give an object another transfer syntax than it has; the file meta group's length stays true."""
    at = _find(data, (0x0002, 0x0010))
    length = struct.unpack_from("<H", data, at + 6)[0]
    said = element(0x0002, 0x0010, b"UI", str(syntax).encode() + b"\0" * (len(syntax) % 2))
    meta_length = struct.unpack_from("<L", data, 140)[0] + len(said) - 8 - length
    return data[:140] + struct.pack("<L", meta_length) + data[144:at] + said + data[at + 8 + length :]


def implicit_object(elements: list[tuple[int, int, bytes]], media_class: str = "") -> bytes:
    """Write an object in implicit VR from its tags and values."""
    meta = element(0x0002, 0x0002, b"UI", media_class.encode() + b"\0" * (len(media_class) % 2))
    meta += element(0x0002, 0x0010, b"UI", b"1.2.840.10008.1.2\0")
    body = b"".join(implicit_element(*one) for one in elements)
    return bytes(128) + b"DICM" + element(0x0002, 0, b"UL", struct.pack("<L", len(meta))) + meta + body
