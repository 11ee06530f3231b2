"""More files made to keep a reader busy, one of each kind: what is no film is refused, and what is one is read."""

import gzip
import io
import struct
import zipfile
import zlib

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000, JPEGBaseline8Bit, JPEGLSLossless, RLELossless

from app.segmentation.errors import (
    FileTooLargeError,
    InvalidImageError,
    MultiFrameError,
    PleuraError,
    TooManyPixelsError,
    TruncatedImageError,
    UnsupportedFormatError,
)
from app.segmentation.reading.image_io import read_radiograph
from tests.support.dicom_bytes import element, inserted, relabelled
from tests.support.film_files import to_dicom, to_png
from training.releasing.phantom.drawing import draw_phantom

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's and Pillow's, of odd values

FILM = draw_phantom(seed=1, size=256).image
EIGHT = np.round(FILM * 255).astype(np.uint8)
SHOWN = EIGHT / np.float32(255)
DICOM, PNG = to_dicom(FILM), to_png(FILM)
MIB = 2**20


def jpeg(**options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(EIGHT).save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))


def png_with(*chunks: bytes) -> bytes:
    at = PNG.index(b"IDAT") - 4
    return PNG[:at] + b"".join(chunks) + PNG[at:]


def framed(stream: bytes, syntax: str = JPEG2000, **said: object) -> bytes:
    return to_dicom(FILM, bits_stored=8, transfer_syntax=syntax, PixelData=encapsulate([stream]), **said)


def sized(stream: bytes, marker: bytes, height: int, width: int) -> bytes:
    """A frame header that says another size."""
    at = stream.index(marker) + 5
    return stream[:at] + struct.pack(">HH", height, width) + stream[at + 4 :]


def zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("film.dcm", data)
    return buffer.getvalue()


EXIF_LOOP = b"II*\0\x08\0\0\0" + struct.pack("<H", 2) + struct.pack("<HHLL", 0x8769, 4, 1, 8)
EXIF_LOOP += struct.pack("<HHLL", 0x0112, 4, 0xFFFFFFFF, 8) + struct.pack("<L", 8)
EXIF_MANY = b"II*\0\x08\0\0\0" + struct.pack("<H", 65535) + struct.pack("<HHLL", 0x0112, 3, 1, 1) * 5000

STRANGERS = {
    "gzip": gzip.compress(DICOM),
    "zip": zipped(DICOM),
    "svg": b"<?xml version='1.0'?><!DOCTYPE s [<!ENTITY a 'b'>]><svg xmlns='http://www.w3.org/2000/svg'/>",
    "html": b"<html><script>alert(1)</script>",
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(1000),
    "avif": b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + bytes(1000),
    "jpeg xl": imagecodecs.jpegxl_encode(EIGHT),
    "jpeg 2000": imagecodecs.jpeg2k_encode(EIGHT, level=0, codecformat="jp2"),
    "program": b"MZ" + bytes(1000),
    "nothing but zeros": bytes(MIB),
    "nothing but ones": b"\xff" * MIB,
}


@pytest.mark.parametrize("name", STRANGERS)
def test_what_is_no_film_is_refused_by_its_kind(name):
    with pytest.raises(UnsupportedFormatError, match="not a DICOM, PNG, JPEG or WebP file"):
        read_radiograph(STRANGERS[name])


@pytest.mark.parametrize(
    ("syntax", "stream"),
    [
        ("1.2.840.10008.1.2.4.110", imagecodecs.jpegxl_encode(EIGHT)),
        ("1.2.840.10008.1.2.4.100", b"\0\0\1\xb3" + bytes(1000)),
        ("1.2.840.10008.1.2.8.1", zlib.compress(EIGHT.tobytes(), wbits=-15)),
        ("1.2.3.4", b"a secret of its maker"),
    ],
    ids=["JPEG XL", "MPEG", "deflated frame", "private"],
)
def test_other_codecs_are_refused_by_their_name(syntax, stream):
    with pytest.raises(UnsupportedFormatError, match="The transfer syntax .+ cannot be read"):
        read_radiograph(relabelled(framed(stream), syntax))


class TestJpeg:
    @pytest.mark.parametrize("is_in_dicom", [False, True])
    def test_fill_bytes_by_the_million_cost_nothing(self, is_in_dicom):
        filled = b"\xff\xd8" + b"\xff" * (50 * MIB) + jpeg()[2:]
        film = read_radiograph(framed(filled, JPEGBaseline8Bit) if is_in_dicom else filled)
        assert np.abs(film.image - SHOWN).mean() < 0.01

    @pytest.mark.parametrize("length", [0, 1])
    def test_segments_that_lead_nowhere(self, length):
        with pytest.raises(TruncatedImageError):
            read_radiograph(b"\xff\xd8" + struct.pack(">HH", 0xFFFE, length) * 200_000 + jpeg()[2:])

    def test_as_many_scans_as_a_large_film_must_not_have(self):
        film = sized(jpeg(progressive=True), b"\xff\xc2", 7000, 7000)
        last = film.rindex(b"\xff\xda")
        with pytest.raises(InvalidImageError, match="scans; at most 12 are read of its size"):
            read_radiograph(film[:-2] + film[last : last + 10] * 20 + film[-2:])

    @pytest.mark.parametrize(
        ("stream", "marker"),
        [(jpeg(), b"\xff\xc0"), (imagecodecs.jpegls_encode(EIGHT), b"\xff\xf7")],
        ids=["JPEG", "JPEG-LS"],
    )
    def test_a_size_of_4_gigapixels(self, stream, marker):
        with pytest.raises(TooManyPixelsError, match="65535 × 65535"):
            read_radiograph(sized(stream, marker, 65535, 65535))

    @pytest.mark.parametrize("exif", [EXIF_LOOP, EXIF_MANY[:60000], b"II*\0\xff\xff\xff\xff", b""])
    def test_what_says_how_the_camera_was_held_may_be_nonsense(self, exif):
        segment = b"\xff\xe1" + struct.pack(">H", 8 + len(exif)) + b"Exif\0\0" + exif
        assert read_radiograph(jpeg()[:2] + segment + jpeg()[2:]).image.shape == FILM.shape

    @pytest.mark.parametrize("held", [0, 9, 65535])
    def test_no_way_to_hold_a_camera(self, held):
        exif = Image.Exif()
        exif[0x0112] = held
        assert np.abs(read_radiograph(jpeg(exif=exif)).image - SHOWN).mean() < 0.01

    def test_tables_of_jpeg_ls_that_fit_no_level(self):
        stream = imagecodecs.jpegls_encode(EIGHT)
        table = struct.pack(">HHBHHHHH", 0xFFF8, 13, 1, 255, *[0xFFFF] * 4)
        with pytest.raises(PleuraError):
            read_radiograph(framed(stream[:2] + table + stream[2:], JPEGLSLossless))


class TestJpeg2000:
    STREAM = imagecodecs.jpeg2k_encode(EIGHT, level=0, codecformat="j2k", reversible=True)
    CODING = STREAM.index(b"\xff\x52")

    def patched(self, at: int, value: bytes) -> bytes:
        return framed(self.STREAM[:at] + value + self.STREAM[at + len(value) :])

    @pytest.mark.parametrize("side", [0, 1, 2])
    def test_tiles_of_next_to_nothing(self, side):
        with pytest.raises(InvalidImageError):
            read_radiograph(self.patched(24, struct.pack(">LL", side, side)))

    def test_tiles_that_are_missing(self):
        buffer = io.BytesIO()
        Image.fromarray(EIGHT).save(buffer, "JPEG2000", no_jp2=True, tile_size=(128, 128))
        stream = buffer.getvalue()
        assert np.array_equal(read_radiograph(framed(stream)).image, SHOWN)
        last = stream.rindex(b"\xff\x90\0\x0a\0\3")
        with pytest.raises(TruncatedImageError):
            read_radiograph(framed(stream[:last] + b"\xff\xd9"))

    @pytest.mark.parametrize(("at", "value"), [(9, b"\x21"), (9, b"\xff"), (10, b"\xff\xff"), (12, b"\xff")])
    def test_levels_and_blocks_that_no_coder_has(self, at, value):
        with pytest.raises(InvalidImageError):
            read_radiograph(self.patched(self.CODING + at, value))

    def test_layers_that_are_not_there(self):
        film = read_radiograph(self.patched(self.CODING + 6, b"\xff\xff"))
        assert np.array_equal(film.image, SHOWN)

    def test_markers_without_length(self):
        at = self.STREAM.index(b"\xff\x90")
        with pytest.raises(InvalidImageError):
            read_radiograph(framed(self.STREAM[:at] + b"\xff\x64\0\0" * 100_000 + self.STREAM[at:]))

    def test_more_parts_of_tiles_than_any_film_has(self):
        at = self.STREAM.index(b"\xff\x90")
        part = b"\xff\x90\0\x0a\0\0" + struct.pack(">L", 14) + b"\0\1\xff\x93"
        with pytest.raises(PleuraError):
            read_radiograph(framed(self.STREAM[:at] + part * 300_000 + self.STREAM[at:]))


class TestRunLengths:
    @pytest.mark.parametrize("offsets", [[64, 64], [64, 63], [0, 64], [64, 2**32 - 1]])
    def test_planes_upon_each_other(self, offsets):
        stream = struct.pack("<16L", len(offsets), *offsets, *[0] * (15 - len(offsets))) + bytes(1000)
        with pytest.raises(InvalidImageError):
            read_radiograph(framed(stream, RLELossless))

    def test_codes_that_stand_for_nothing(self):
        stream = struct.pack("<16L", 1, 64, *[0] * 14) + b"\x80" * (50 * MIB)
        with pytest.raises(TruncatedImageError):
            read_radiograph(framed(stream, RLELossless))

    def test_more_bytes_than_the_film_has(self):
        stream = struct.pack("<16L", 1, 64, *[0] * 14) + b"\x81\x40" * (20 * MIB)
        with pytest.raises(InvalidImageError):
            read_radiograph(framed(stream, RLELossless))


class TestPng:
    BOMB = zlib.compress(bytes(200 * MIB), 9)

    @pytest.mark.parametrize(
        "start", [b"zTXta\0\0", b"iTXta\0\1\0\0\0", b"iCCPa\0\0"], ids=["text", "letters", "profile"]
    )
    def test_what_inflates_beside_the_picture_is_left_alone(self, start):
        film = read_radiograph(png_with(chunk(start[:4], start[4:] + self.BOMB)))
        assert np.array_equal(film.image, SHOWN)

    def test_a_picture_that_inflates_to_more_than_it_has(self):
        header = struct.pack(">LLBBBBB", 256, 256, 8, 0, 0, 0, 0)
        bomb = PNG[:8] + chunk(b"IHDR", header) + chunk(b"IDAT", self.BOMB) + chunk(b"IEND", b"")
        assert read_radiograph(bomb).image.shape == (256, 256)  # as far as its rows go: black

    @pytest.mark.parametrize(("width", "height"), [(1, 50_000_000), (50_000_000, 1), (300, 65_536)])
    def test_a_side_longer_than_any_film_s(self, width, height):
        header = chunk(b"IHDR", struct.pack(">LLBBBBB", width, height, 8, 0, 0, 0, 0))
        with pytest.raises(TooManyPixelsError, match="65,535 a side is the limit"):
            read_radiograph(PNG[:8] + header + chunk(b"IDAT", self.BOMB) + chunk(b"IEND", b""))

    @pytest.mark.parametrize("count", [2, 201, 2**31])
    def test_as_many_pictures_as_it_says(self, count):
        with pytest.raises(MultiFrameError, match="frames"):
            read_radiograph(png_with(chunk(b"acTL", struct.pack(">LL", count, 0))))

    @pytest.mark.parametrize("length", [2**31, 2**32 - 1])
    def test_chunks_longer_than_the_file(self, length):
        with pytest.raises(TruncatedImageError):
            read_radiograph(PNG[:33] + struct.pack(">L", length) + b"IDAT" + PNG[33:])


class TestWebp:
    @staticmethod
    def riff(body: bytes) -> bytes:
        return b"RIFF" + struct.pack("<L", 4 + len(body)) + b"WEBP" + body

    def test_chunks_of_nothing(self):
        buffer = io.BytesIO()
        Image.fromarray(EIGHT).convert("RGB").save(buffer, "WEBP", lossless=True)
        film = self.riff(b"junk\0\0\0\0" * 200_000 + buffer.getvalue()[12:])
        try:
            assert np.array_equal(read_radiograph(film).image, SHOWN)
        except TruncatedImageError:
            pass  # libwebp before 1.5 wants the picture first

    def test_a_picture_of_sixteen_thousand_squared(self):
        body = b"VP8L" + struct.pack("<L", 5) + b"\x2f" + struct.pack("<L", 16382 | 16382 << 14) + b"\0"
        with pytest.raises((TooManyPixelsError, TruncatedImageError)):
            read_radiograph(self.riff(body))


class TestDicom:
    def test_empty_stored_blocks(self):
        meta = element(2, 0x10, b"UI", b"1.2.840.10008.1.2.1.99")
        start = bytes(128) + b"DICM" + element(2, 0, b"UL", struct.pack("<L", len(meta))) + meta
        with pytest.raises(PleuraError):
            read_radiograph(start + b"\0\0\0\xff\xff" * (10 * MIB))

    def test_deflated_twice(self):
        deflate = zlib.compressobj(9, wbits=-15)
        body = deflate.compress(bytes(400 * MIB)) + deflate.flush()
        meta = element(2, 0x10, b"UI", b"1.2.840.10008.1.2.1.99")
        start = bytes(128) + b"DICM" + element(2, 0, b"UL", struct.pack("<L", len(meta))) + meta
        with pytest.raises(FileTooLargeError):
            read_radiograph(start + body)

    @pytest.mark.parametrize("tag", [(0x0008, 0x1140), (0x0028, 0x3010), (0x5200, 0x9229), (0x0054, 0x0220)])
    @pytest.mark.parametrize("length", [0xFFFFFFFE, 0x7FFFFFFF])
    def test_a_sequence_longer_than_the_file(self, tag, length):
        odd = struct.pack("<HH2sHL", *tag, b"SQ", 0, length)
        with pytest.raises(InvalidImageError):
            read_radiograph(inserted(DICOM, tag, odd))

    @pytest.mark.parametrize("tag", [(0x0008, 0x1140), (0x0028, 0x3010)])
    def test_items_without_end(self, tag):
        item = struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
        with pytest.raises(InvalidImageError):
            read_radiograph(inserted(DICOM, tag, struct.pack("<HH2sHL", *tag, b"SQ", 0, 0xFFFFFFFF) + item * 100_000))

    @pytest.mark.parametrize("frames", ["1000", "2147483647"])
    def test_thousands_of_frames(self, frames):
        stream = imagecodecs.jpeg2k_encode(EIGHT, level=0, codecformat="j2k", reversible=True)
        many = to_dicom(
            FILM, bits_stored=8, transfer_syntax=JPEG2000, PixelData=encapsulate([stream] * 50), NumberOfFrames=frames
        )
        with pytest.raises(MultiFrameError, match=f"{frames} frames"):
            read_radiograph(many)

    def test_what_begins_as_another_file_and_is_a_film(self):
        assert np.abs(read_radiograph(b"II*\0" + bytes(124) + DICOM[128:]).image - FILM).max() < 1e-3

    def test_what_begins_as_a_film_and_is_another_file(self):
        with pytest.raises(PleuraError):
            read_radiograph(bytes(128) + b"DICM" + PNG)
