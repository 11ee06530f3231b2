"""Sequences as some writers end, order and encode them: what is inside says nothing of the film, nor does an icon."""

import struct

import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRBigEndian, JPEGBaseline8Bit

from app.segmentation.reading.dicom_io import read_dicom
from tests.support.dicom_bytes import element, implicit_element, implicit_object, inserted
from tests.support.film_files import to_dicom
from training.releasing.phantom.drawing import draw_phantom

FILM = draw_phantom(seed=1, size=256).image
SEEN = np.round(FILM * 4095) / 4095
UNDEFINED = 0xFFFFFFFF
ITEM_END, SEQUENCE_END = struct.pack("<HHL", 0xFFFE, 0xE00D, 0), struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
UID_INSIDE = element(0x0008, 0x1150, b"UI", b"1.2\0")

ICON_SIDE = 300
ICON = b"".join(
    [
        element(0x0028, 0x0002, b"US", struct.pack("<H", 1)),
        element(0x0028, 0x0004, b"CS", b"MONOCHROME2"),
        *(element(0x0028, number, b"US", struct.pack("<H", ICON_SIDE)) for number in (0x10, 0x11)),
        *(element(0x0028, 0x0100 + at, b"US", struct.pack("<H", said)) for at, said in enumerate((8, 8, 7, 0))),
    ]
)
ICON_PIXELS = element(0x7FE0, 0x0010, b"OW", bytes(range(250)) * (ICON_SIDE**2 // 250))


def item(inside: bytes, is_open: bool = False) -> bytes:
    """An item whose length is known, or open: up to a delimiter."""
    length, end = (UNDEFINED, ITEM_END) if is_open else (len(inside), b"")
    return struct.pack("<HHL", 0xFFFE, 0xE000, length) + inside + end


def sequence(tag: tuple[int, int], items: bytes, is_open: bool = False, vr: bytes = b"SQ") -> bytes:
    length = UNDEFINED if is_open else len(items)
    return struct.pack("<HH2sHL", *tag, vr, 0, length) + items + (SEQUENCE_END if is_open else b"")


LATERAL = ((0x0008, 0x0100, b"R-10236 "), (0x0008, 0x0102, b"SRT "), (0x0008, 0x0104, b"left lateral"))
EXPLICIT_LATERAL = b"".join(element(group, number, b"SH", value) for group, number, value in LATERAL)
IMPLICIT_LATERAL = b"".join(implicit_element(*one) for one in LATERAL)


def shows_the_film(data: bytes) -> bool:
    image = read_dicom(data).image
    return image.shape == FILM.shape and bool(np.abs(image - SEEN).max() < 1e-6)


@pytest.mark.parametrize(
    "inside",
    [
        sequence((0x0008, 0x1140), item(UID_INSIDE)) + SEQUENCE_END + ICON,
        sequence((0x0008, 0x1140), item(UID_INSIDE) + ITEM_END, is_open=True) + ICON,
        sequence((0x0008, 0x1140), item(UID_INSIDE) + ITEM_END, is_open=True) + ICON + ICON_PIXELS,
    ],
    ids=["behind a sequence", "behind an item", "behind an item of an icon with pixels"],
)
def test_a_delimiter_behind_a_known_length_ends_nothing_else(inside):
    nested = sequence((0x0008, 0x1140), item(inside, is_open=True), is_open=True)
    assert shows_the_film(inserted(to_dicom(FILM), (0x0008, 0x1140), nested))


def test_items_behind_a_delimiter_too_many_are_read():
    views = sequence((0x0054, 0x0220), item(b"") + ITEM_END + item(EXPLICIT_LATERAL) + ITEM_END, is_open=True)
    assert read_dicom(inserted(to_dicom(FILM), (0x0054, 0x0220), views)).view_position == "LEFT LATERAL"


@pytest.mark.parametrize("vr", [b"SQ", b"UN"])
@pytest.mark.parametrize("is_implicit", [False, True])
@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize("first", [b"", item(b""), item(b"", is_open=True)], ids=["none", "empty", "empty, open"])
def test_every_item_says_by_itself_which_kind_of_vr_it_has(vr, is_implicit, is_open, first):
    inside = IMPLICIT_LATERAL if is_implicit else EXPLICIT_LATERAL
    for tag in ((0x0054, 0x0220), (0x0019, 0x1020)):
        odd = sequence(tag, first + item(inside, is_open), is_open, vr)
        film = inserted(to_dicom(FILM), tag, odd)
        assert shows_the_film(film)
        assert tag[0] == 0x0019 or read_dicom(film).view_position == "LEFT LATERAL"


def test_items_in_explicit_vr_in_a_file_of_implicit_vr():
    views = item(EXPLICIT_LATERAL, is_open=True)
    film = implicit_object(
        [
            *((0x0008, 0x0060, b"CR"), (0x0028, 0x0002, struct.pack("<H", 1)), (0x0028, 0x0004, b"MONOCHROME2 ")),
            *((0x0028, number, struct.pack("<H", 256)) for number in (0x10, 0x11)),
            *((0x0028, 0x0100 + at, struct.pack("<H", said)) for at, said in enumerate((16, 12, 11, 0))),
            (0x0054, 0x0220, views),
            (0x7FE0, 0x0010, np.round(FILM * 4095).astype("<u2").tobytes()),
        ]
    )
    assert shows_the_film(film)
    assert read_dicom(film).view_position == "LEFT LATERAL"


@pytest.mark.parametrize("is_open", [False, True])
def test_a_sequence_of_vr_un_is_little_endian_in_a_big_endian_file(is_open):
    film = to_dicom(FILM, transfer_syntax=ExplicitVRBigEndian)
    views = item(IMPLICIT_LATERAL, is_open) + (SEQUENCE_END if is_open else b"")
    said = struct.pack(">HH2sHL", 0x0054, 0x0220, b"UN", 0, UNDEFINED if is_open else len(views)) + views
    at = film.index(struct.pack(">HH2s", 0x7FE0, 0x0010, b"OW"))
    film = film[:at] + said + film[at:]
    assert shows_the_film(film)
    assert read_dicom(film).view_position == "LEFT LATERAL"


class TestIconWithoutItsSequence:
    """Tags that descend behind Pixel Data: what is before them was an icon's."""

    def test_levels(self):
        assert shows_the_film(inserted(to_dicom(FILM), (0x0010, 0x0010), ICON + ICON_PIXELS))

    def test_a_codestream(self):
        pixels = struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, UNDEFINED) + encapsulate([b"\xff\xd8icon"])
        assert shows_the_film(inserted(to_dicom(FILM), (0x0010, 0x0010), ICON + pixels + SEQUENCE_END))

    @pytest.mark.parametrize("syntax", [None, JPEGBaseline8Bit])
    @pytest.mark.parametrize(
        "behind",
        [element(0x0008, 0x0070, b"LO", b"ACME") + ICON, bytes(64), b"\x10\0\x20\0" + b"\xee" * 60, ICON_PIXELS],
        ids=["elements", "zeros", "letters", "pixels"],
    )
    def test_what_is_behind_a_film_says_nothing_of_it(self, syntax, behind):
        film = to_dicom(FILM) if syntax is None else to_dicom(FILM, transfer_syntax=syntax)
        image = read_dicom(film + behind).image
        assert np.array_equal(image, read_dicom(film).image)
