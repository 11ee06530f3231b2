"""Files made to keep a reader busy: each is refused, or read, before it costs time or memory."""

import struct
import zlib

import imagecodecs
import numpy as np
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000, JPEGBaseline8Bit, JPEGLosslessSV1, RLELossless, SecondaryCaptureImageStorage

from app.segmentation.errors import FileTooLargeError, InvalidImageError, PleuraError, TooManyPixelsError
from app.segmentation.reading import dicom_elements
from app.segmentation.reading.dicom_io import read_dicom
from tests.support.dicom_bytes import element, implicit_object, inserted, replaced
from tests.support.film_files import to_dicom
from training.releasing.phantom.drawing import draw_phantom

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, as it writes odd headers

FILM = draw_phantom(seed=1, size=256).image
EIGHT = np.round(FILM * 255).astype(np.uint8)
MANY = b"\\".join([b"1"] * 1_000_000)
ITEM = struct.pack("<HHL", 0xFFFE, 0xE000, 0)
JP2 = b"\0\0\0\x0cjP  \r\n\x87\n"


def with_frame(frame: bytes, syntax: str = JPEG2000) -> bytes:
    return to_dicom(FILM, bits_stored=8, transfer_syntax=syntax, PixelData=encapsulate([frame]))


def implicit_film(*more: tuple[int, int, bytes]) -> bytes:
    """A film of 8 bits in implicit VR, where values of any length can be written."""
    small = [
        *((0x0028, 0x0002, b"\1\0"), (0x0028, 0x0004, b"MONOCHROME2 "), (0x0028, 0x0010, b"\0\1")),
        *((0x0028, 0x0011, b"\0\1"), (0x0028, 0x0100, b"\x08\0"), (0x0028, 0x0101, b"\x08\0")),
        *((0x0028, 0x0102, b"\7\0"), (0x0028, 0x0103, b"\0\0"), (0x7FE0, 0x0010, EIGHT.tobytes())),
    ]
    mine = {(group, number) for group, number, _ in more}
    return implicit_object(sorted([*(one for one in small if one[:2] not in mine), *more]))


class TestBoxes:
    @pytest.mark.parametrize(
        "boxes",
        [
            struct.pack(">L4s", 0, b"free") + bytes(64),
            struct.pack(">L4sQ", 1, b"free", 0) + bytes(64),
            struct.pack(">L4s", 7, b"free") * 8,
            struct.pack(">L4s", 8, b"free") * 200_000,
            struct.pack(">L4s", 0, b"jp2c") + bytes(64),
        ],
        ids=["length 0", "long length 0", "length 7", "many", "no codestream"],
    )
    def test_boxes_that_lead_nowhere(self, boxes):
        with pytest.raises(InvalidImageError, match="damaged|no codestream"):
            read_dicom(with_frame(JP2 + boxes))

    def test_a_box_of_length_0_reaches_to_the_end(self):
        stream = imagecodecs.jpeg2k_encode(EIGHT, level=0, codecformat="j2k", reversible=True)
        film = with_frame(JP2 + struct.pack(">L4s", 8, b"free") + struct.pack(">L4s", 0, b"jp2c") + stream)
        assert np.array_equal(read_dicom(film).image, EIGHT / np.float32(255))


class TestMarkers:
    def test_thousands_of_scans(self):
        stream = imagecodecs.jpeg8_encode(EIGHT)
        scan = stream[stream.index(b"\xff\xda") : -2]
        with pytest.raises(InvalidImageError, match="2001 scans; at most 100"):
            read_dicom(with_frame(stream[:-2] + scan * 2000 + b"\xff\xd9", JPEGBaseline8Bit))

    @pytest.mark.parametrize(
        ("filling", "sentence"),
        [(b"\xff\xfe\0\2" * 500_000, "more than 10,000 segments"), (b"\xff" * 2_000_000, "damaged")],
        ids=["comments", "fill bytes"],
    )
    def test_millions_of_segments_before_the_first_scan(self, filling, sentence):
        with pytest.raises(InvalidImageError, match=sentence):
            read_dicom(with_frame(b"\xff\xd8" + filling, JPEGBaseline8Bit))

    def test_a_codestream_with_too_many_pixels_is_refused_before_it_is_decoded(self):
        stream = bytearray(imagecodecs.jpeg8_encode(EIGHT, lossless=True))
        at = stream.index(b"\xff\xc3")
        stream[at + 5 : at + 9] = struct.pack(">HH", 60000, 60000)
        with pytest.raises(TooManyPixelsError, match="60000 × 60000"):
            read_dicom(with_frame(bytes(stream), JPEGLosslessSV1))

    @pytest.mark.parametrize("components", [2, 4, 16000])
    def test_other_numbers_of_components(self, components):
        stream = bytearray(imagecodecs.jpeg2k_encode(EIGHT, level=0, codecformat="j2k", reversible=True))
        stream[40:42] = struct.pack(">H", components)
        with pytest.raises(InvalidImageError):
            read_dicom(with_frame(bytes(stream)))

    def test_hundreds_of_thousands_of_fragments(self):
        fragments = (b"\xfe\xff\x00\xe0" + bytes(4)) * 200_000 + b"\xfe\xff\xdd\xe0" + bytes(4)
        with pytest.raises(InvalidImageError, match="more than 100,000 fragments"):
            read_dicom(to_dicom(FILM, bits_stored=8, transfer_syntax=RLELossless, PixelData=fragments))


class TestDeflation:
    @pytest.mark.parametrize("has_preamble", [True, False])
    @pytest.mark.parametrize("has_zlib_header", [True, False])
    def test_a_bomb(self, monkeypatch, has_preamble, has_zlib_header):
        monkeypatch.setattr(dicom_elements, "MAX_INFLATED_BYTES", 2**20)
        deflate = zlib.compressobj(wbits=zlib.MAX_WBITS if has_zlib_header else -zlib.MAX_WBITS)
        bomb = deflate.compress(element(0x0008, 0x0016, b"UI", b"1.2") + bytes(2**24)) + deflate.flush()
        meta = element(0x0002, 0x0010, b"UI", b"1.2.840.10008.1.2.1.99")
        start = bytes(128) + b"DICM" if has_preamble else b""
        with pytest.raises(FileTooLargeError, match="inflates to more than 1 MiB"):
            read_dicom(start + element(0x0002, 0, b"UL", struct.pack("<L", len(meta))) + meta + bomb)


class TestHeader:
    @pytest.mark.parametrize(
        "tag",
        [
            *((0x0028, 0x1050), (0x0028, 0x1051), (0x0028, 0x1052), (0x0028, 0x1053), (0x0028, 0x1056)),
            *((0x0008, 0x0060), (0x0028, 0x0004), (0x0028, 0x0008), (0x0028, 0x0010), (0x0028, 0x0120)),
            (0x0018, 0x1620),
        ],
    )
    def test_overlong_values_that_decide_what_is_shown(self, tag):
        with pytest.raises(InvalidImageError, match="[0-9],[0-9]{3} bytes long"):
            read_dicom(implicit_film((*tag, MANY)))

    @pytest.mark.parametrize(
        "tag",
        [
            *((0x0018, 0x1164), (0x0028, 0x0030), (0x0018, 0x2010), (0x0028, 0x0034), (0x0010, 0x0010), (0x0008, 5)),
            *((0x6000, 0x0100), (0x601E, 0x0102)),
        ],
    )
    def test_overlong_values_that_do_not(self, tag):
        film = read_dicom(implicit_film((*tag, MANY)))
        assert np.array_equal(film.image, EIGHT / np.float32(255))
        assert film.pixel_spacing_mm is None

    @pytest.mark.parametrize("tag", [(0x0028, 0x3000), (0x0028, 0x3010), (0x5200, 0x9229), (0x0008, 0x1140)])
    def test_sequences_of_many_empty_items(self, tag):
        film = read_dicom(implicit_film((*tag, ITEM * 250_000)))
        assert np.array_equal(film.image, EIGHT / np.float32(255))

    def test_more_elements_than_any_film_has(self):
        odd = b"".join(element(0x0009, 0x1000 + number % 0xE000, b"UN", b"") for number in range(250_000))
        with pytest.raises(InvalidImageError, match="more than 200,000 elements"):
            read_dicom(inserted(to_dicom(FILM), (0x0010, 0x0010), odd))

    def test_sequences_within_each_other(self):
        nest = struct.pack("<HH2sHL", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
        nest += struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
        with pytest.raises(InvalidImageError, match="within each other"):
            read_dicom(inserted(to_dicom(FILM), (0x0010, 0x0010), nest * 100_000))

    def test_sequences_within_each_other_as_some_machines_write_them(self):
        nest = element(0x0009, 0x1001, b"LO", b"innermost")
        for _ in range(32):
            nest = struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF) + nest + struct.pack("<HHL", 0xFFFE, 0xE00D, 0)
            nest = struct.pack("<HH2sHL", 0x0009, 0x1002, b"SQ", 0, 0xFFFFFFFF) + nest
            nest += struct.pack("<HHL", 0xFFFE, 0xE0DD, 0)
        plain = to_dicom(FILM)
        film = read_dicom(inserted(plain, (0x0010, 0x0010), nest))
        assert np.array_equal(film.image, read_dicom(plain).image)

    def test_a_polygon_of_as_many_vertices_as_are_read(self):
        vertices = np.random.default_rng(0).integers(1, 7000, 13_000).astype("<u2").tobytes()
        film = to_dicom(FILM, ShutterShape="POLYGONAL", VerticesOfThePolygonalShutter=[1, 1, 9, 9])
        image = read_dicom(replaced(film, (0x0018, 0x1620), vertices, b"US")).image
        assert 0 < np.count_nonzero(image) < image.size

    def test_messages_do_not_repeat_what_is_long(self):
        film, cut = to_dicom(FILM), to_dicom(FILM, PixelData=bytes(1000))
        capture = to_dicom(FILM, SOPClassUID=SecondaryCaptureImageStorage)
        for object_, tag in ((capture, (0x0008, 0x0060)), (film, (0x0028, 0x0004)), (cut, (0x0002, 0x0010))):
            with pytest.raises(PleuraError, match="XXX") as refusal:
                read_dicom(replaced(object_, tag, b"X" * 8000))
            assert len(str(refusal.value)) < 250


class TestLargeFilms:
    """Fifty megapixels in few bytes, which other readers blow up to gigabytes."""

    ROWS, COLUMNS = 2500, 2000

    def runs(self, planes: int) -> bytes:
        plane = b"\x81\x40" * (self.ROWS * self.COLUMNS // 128 + 1)
        offsets = [64 + len(plane) * plane_number for plane_number in range(planes)]
        return struct.pack("<16L", planes, *offsets, *[0] * (15 - planes)) + plane * planes

    @pytest.mark.parametrize(("allocated", "samples"), [(8, 3), (16, 3), (32, 3), (16, 1), (32, 1)])
    def test_run_lengths_of_every_width(self, allocated, samples):
        bits = min(allocated, 16)
        film = to_dicom(
            FILM,
            bits_stored=bits,
            transfer_syntax=RLELossless,
            Rows=self.ROWS,
            Columns=self.COLUMNS,
            BitsAllocated=allocated,
            SamplesPerPixel=samples,
            PhotometricInterpretation="RGB" if samples == 3 else "MONOCHROME2",
            PixelData=encapsulate([self.runs(samples * allocated // 8)]),
        )
        image = read_dicom(film).image
        grey = (0x40 if bits == 8 else 0x4040) / (2**bits - 1 if samples == 3 or bits == 16 else 255)
        assert image.shape == (self.ROWS, self.COLUMNS)
        assert image.dtype == np.float32
        assert np.abs(image - (grey if samples == 3 else 0x4040 / (2**15 - 1))).max() < 1e-4

    @pytest.mark.parametrize(("planes", "samples"), [(2, 2), (3, 3), (4, 4), (5, 1), (9, 3)])
    def test_planes_that_make_no_picture(self, planes, samples):
        film = to_dicom(
            FILM,
            bits_stored=8,
            transfer_syntax=RLELossless,
            Rows=self.ROWS,
            Columns=self.COLUMNS,
            SamplesPerPixel=samples,
            PhotometricInterpretation="PALETTE COLOR",
            PixelData=encapsulate([self.runs(planes)]),
        )
        with pytest.raises(InvalidImageError, match="planes of bytes|samples a pixel"):
            read_dicom(film)
