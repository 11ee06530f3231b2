"""Films whose data end early behind an end that looks sound: the rest would be shown grey, black or blurred."""

import io
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
)

from app.segmentation.errors import TruncatedImageError
from app.segmentation.reading.image_io import read_radiograph
from tests.support.dicom_bytes import relabelled
from tests.support.film_files import to_dicom
from training.releasing.phantom.drawing import draw_phantom

FILM = draw_phantom(seed=1, size=512).image
EIGHT, DEEP = np.round(FILM * 255).astype(np.uint8), np.round(FILM * 4095).astype(np.uint16)
CUTS = [0.1, 0.5, 0.8, 0.97]
END = b"\xff\xd9"


def pillow(kind: str, mode: str = "L", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(EIGHT).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def in_dicom(stream: bytes, syntax: UID, bits: int = 8) -> bytes:
    return to_dicom(FILM, bits_stored=bits, transfer_syntax=syntax, PixelData=encapsulate([stream]))


def cut(stream: bytes, share: float, start: bytes) -> bytes:
    """Keep so much of what follows the last `start`, and the end."""
    first = stream.rindex(start) + 20
    return stream[: first + int((len(stream) - 2 - first) * share)] + END


JPEGS = {
    "grey": pillow("JPEG", quality=90),
    "colours": pillow("JPEG", "RGB", quality=90, subsampling="4:2:0"),
    "four inks": pillow("JPEG", "CMYK"),
    "progressive": pillow("JPEG", progressive=True),
    "progressive, colours": pillow("JPEG", "RGB", progressive=True, subsampling="4:4:4"),
    "restarted in each block": pillow("JPEG", restart_marker_blocks=1),
    "restarted in each row": pillow("JPEG", restart_marker_rows=1),
    "12 bits": imagecodecs.jpeg8_encode(DEEP, bitspersample=12),
    "lossless": imagecodecs.jpeg8_encode(DEEP, lossless=True, bitspersample=12),
    "lossless, another predictor": imagecodecs.jpeg8_encode(DEEP, lossless=True, bitspersample=12, predictor=7),
}


class TestJpeg:
    @pytest.mark.parametrize("name", JPEGS)
    def test_as_a_whole_it_is_read(self, name):
        assert np.abs(read_radiograph(JPEGS[name]).image - FILM).mean() < 0.02

    @pytest.mark.parametrize("share", CUTS)
    @pytest.mark.parametrize("name", JPEGS)
    def test_cut(self, name, share):
        with pytest.raises(TruncatedImageError, match="ends early"):
            read_radiograph(cut(JPEGS[name], share, b"\xff\xda"))

    @pytest.mark.parametrize(
        ("name", "syntax", "bits"),
        [
            ("grey", JPEGBaseline8Bit, 8),
            ("progressive", JPEGBaseline8Bit, 8),
            ("12 bits", JPEGExtended12Bit, 12),
            ("lossless", JPEGLosslessSV1, 12),
        ],
    )
    def test_cut_in_dicom(self, name, syntax, bits):
        assert read_radiograph(in_dicom(JPEGS[name], syntax, bits)).image.shape == FILM.shape
        with pytest.raises(TruncatedImageError, match="ends early"):
            read_radiograph(in_dicom(cut(JPEGS[name], 0.5, b"\xff\xda"), syntax, bits))

    @pytest.mark.parametrize("left", range(1, 6))
    def test_some_scans_are_missing(self, left):
        stream = JPEGS["progressive"]
        scans = [at for at in range(len(stream)) if stream[at : at + 2] == b"\xff\xda"]
        assert len(scans) == 6
        tables = stream.rindex(b"\xff\xc4", 0, scans[left]) if left < 6 - 1 else scans[left]
        with pytest.raises(TruncatedImageError):
            read_radiograph(stream[:tables] + END)

    def test_a_strip_is_missing(self):
        stream = JPEGS["restarted in each row"]
        first, second = stream.index(b"\xff\xd2"), stream.index(b"\xff\xd3")
        with pytest.raises(TruncatedImageError):
            read_radiograph(stream[: first + 12] + stream[second:])

    def test_the_last_block_may_lack_its_last_bits(self):
        stream = JPEGS["grey"]
        assert read_radiograph(stream[:-4] + END).image.shape == FILM.shape

    @pytest.mark.parametrize("behind", [bytes(1000), b"\xff" * 1000, b"\x12\x34" * 500])
    def test_what_lies_behind_the_picture_is_passed_over(self, behind):
        for name in ("grey", "progressive", "restarted in each row"):
            whole = read_radiograph(JPEGS[name]).image
            assert np.array_equal(read_radiograph(JPEGS[name][:-2] + behind + END).image, whole)

    @pytest.mark.parametrize("behind", [b"\xff\xd0" * 2**22, b"\xff" * 2**22 + b"\0"], ids=["restarts", "fill bytes"])
    def test_millions_of_bytes_behind_the_picture(self, behind):
        film = read_radiograph(JPEGS["grey"][:-2] + behind + END)
        assert np.array_equal(film.image, read_radiograph(JPEGS["grey"]).image)

    def test_millions_of_segments_behind_the_picture(self):
        with pytest.raises(TruncatedImageError):
            read_radiograph(JPEGS["grey"][:-2] + b"\xff\xfe\0\2" * 2**20 + END)


class TestOtherCodecs:
    @pytest.mark.parametrize("share", CUTS)
    def test_jpeg_ls(self, share):
        stream = imagecodecs.jpegls_encode(DEEP)
        broken = cut(stream, share, b"\xff\xda")
        for data in (broken, in_dicom(broken, JPEGLSLossless, 12)):
            with pytest.raises(TruncatedImageError):
                read_radiograph(data)

    @pytest.mark.parametrize("share", CUTS)
    @pytest.mark.parametrize(
        "options",
        [{}, {"tile_size": (256, 256)}, {"progression": "RPCL", "precinct_size": (128, 128)}, {"irreversible": True}],
    )
    def test_jpeg_2000(self, options, share):
        stream = pillow("JPEG2000", no_jp2=True, **options)
        assert np.abs(read_radiograph(in_dicom(stream, JPEG2000Lossless)).image - FILM).mean() < 0.02
        broken, last = bytearray(cut(stream, share, b"\xff\x90\0\x0a")), stream.rindex(b"\xff\x90\0\x0a")
        broken[last + 6 : last + 10] = struct.pack(">L", len(broken) - 2 - last)  # the part says how long it is now
        for data in (cut(stream, share, b"\xff\x90\0\x0a"), bytes(broken)):
            with pytest.raises(TruncatedImageError):
                read_radiograph(in_dicom(data, JPEG2000Lossless))

    def test_parts_of_a_tile_are_missing(self):
        stream = bytearray(pillow("JPEG2000", no_jp2=True))
        stream[stream.index(b"\xff\x90\0\x0a") + 11] = 2  # parts that the tile has
        with pytest.raises(TruncatedImageError):
            read_radiograph(in_dicom(bytes(stream), JPEG2000Lossless))

    @pytest.mark.parametrize("share", CUTS)
    @pytest.mark.parametrize("lossless", [False, True])
    def test_webp(self, lossless, share):
        whole = pillow("WEBP", lossless=lossless)
        length = int((len(whole) - 20) * share) // 2 * 2
        chunk = whole[12:16] + struct.pack("<L", length) + whole[20 : 20 + length]
        with pytest.raises(TruncatedImageError):
            read_radiograph(b"RIFF" + struct.pack("<L", 4 + len(chunk)) + b"WEBP" + chunk)


def filled(data: bytes, share: float, filling: bytes = b"\0") -> bytes:
    """What an interrupted copy leaves: so much of a file, and its old length."""
    kept = int(len(data) * share)
    return data[:kept] + filling * (len(data) - kept)


BLACK_BELOW = np.where(np.arange(512)[:, None] < 256, EIGHT, 0).astype(np.uint8)
"""Whose codestreams end, though they are whole, in bytes that are alike."""
FILLINGS = pytest.mark.parametrize("filling", [b"\0", b"\xff"])


class TestFilled:
    J2K_OPTIONS = [
        {},
        {"irreversible": True, "quality_layers": [40]},
        {"tile_size": (256, 256)},
        {"quality_layers": [80, 40, 20, 10, 5]},
        *({"progression": order, "precinct_size": (64, 64)} for order in ("LRCP", "RLCP", "RPCL", "PCRL", "CPRL")),
    ]

    @FILLINGS
    @pytest.mark.parametrize("options", J2K_OPTIONS)
    def test_jpeg_2000(self, options, filling):
        film = in_dicom(pillow("JPEG2000", no_jp2=True, **options), JPEG2000Lossless)
        for share in CUTS[1:]:
            with pytest.raises(TruncatedImageError):
                read_radiograph(filled(film, share, filling))

    def test_jpeg_2000_in_boxes(self):
        film = in_dicom(pillow("JPEG2000"), JPEG2000Lossless)
        for share in CUTS[1:]:
            with pytest.raises(TruncatedImageError):
                read_radiograph(filled(film, share))

    @pytest.mark.parametrize("behind", [b"", bytes(7)])
    @pytest.mark.parametrize("options", J2K_OPTIONS)
    def test_jpeg_2000_whose_writer_forgot_its_end(self, options, behind):
        for levels in (EIGHT, BLACK_BELOW):
            buffer = io.BytesIO()
            Image.fromarray(levels).save(buffer, "JPEG2000", no_jp2=True, **options)
            stream = buffer.getvalue()
            whole, endless = (in_dicom(data, JPEG2000Lossless) for data in (stream, stream[:-2] + behind))
            assert np.array_equal(read_radiograph(endless).image, read_radiograph(whole).image)

    @FILLINGS
    @pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
    @pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 95}, {"quality": 10}])
    def test_webp(self, options, mode, filling):
        film = pillow("WEBP", mode, **options)
        for share in CUTS:
            with pytest.raises(TruncatedImageError):
                read_radiograph(filled(film, share, filling))

    def test_webp_of_one_frame(self):
        frame = pillow("WEBP", lossless=True)[12:]
        header = bytes(6) + struct.pack("<L", 511)[:3] * 2 + bytes(4)
        flags = struct.pack("<L", 2) + struct.pack("<L", 511)[:3] * 2
        chunks = [(b"VP8X", flags), (b"ANIM", bytes(6)), (b"ANMF", header + frame)]
        body = b"".join(kind + struct.pack("<L", len(data)) + data for kind, data in chunks)
        film = b"RIFF" + struct.pack("<L", 4 + len(body)) + b"WEBP" + body
        assert np.abs(read_radiograph(film).image - EIGHT / 255).max() < 1e-6
        with pytest.raises(TruncatedImageError):
            read_radiograph(filled(film, 0.5))

    @pytest.mark.parametrize("options", [{"lossless": True, "quality": 0, "method": 0}, {"quality": 0}])
    def test_a_webp_that_ends_in_thousands_of_zeros(self, options):
        buffer = io.BytesIO()
        Image.fromarray(np.tile(BLACK_BELOW, (1, 4))).save(buffer, "WEBP", **options)
        film = buffer.getvalue()
        assert len(film) - len(film.rstrip(b"\0")) > 8
        assert np.abs(read_radiograph(film).image - np.tile(BLACK_BELOW, (1, 4)) / 255).mean() < 0.05

    @FILLINGS
    @pytest.mark.parametrize("syntax", [DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian])
    def test_deflated(self, syntax, filling):
        film = relabelled(to_dicom(FILM, transfer_syntax=DeflatedExplicitVRLittleEndian), syntax)
        for share in CUTS[1:]:
            with pytest.raises(TruncatedImageError):
                read_radiograph(filled(film, share, filling))

    @pytest.mark.parametrize("wbits", [-zlib.MAX_WBITS, zlib.MAX_WBITS, zlib.MAX_WBITS | 16])
    def test_deflated_without_its_last_bytes(self, wbits):
        """All levels are there: only the stream's end is not, or its sum."""
        data = to_dicom(FILM)
        start = 144 + struct.unpack_from("<L", data, 140)[0]
        deflate = zlib.compressobj(wbits=wbits)
        body = deflate.compress(data[start:]) + deflate.flush(zlib.Z_SYNC_FLUSH)
        right = read_radiograph(data).image
        for ending in (b"", deflate.flush()):
            film = relabelled(data[:start], DeflatedExplicitVRLittleEndian) + body + ending
            assert np.array_equal(read_radiograph(film).image, right)

    @pytest.mark.parametrize("name", JPEGS)
    def test_jpeg(self, name):
        for share in CUTS:
            with pytest.raises(TruncatedImageError):
                read_radiograph(filled(JPEGS[name], share))


def png(colour_type: int, bits: int, compressed: bytes, is_interlaced: bool = False) -> bytes:
    header = struct.pack(">LLBBBBB", 512, 512, bits, colour_type, 0, 0, is_interlaced)
    chunks = [(b"IHDR", header), (b"PLTE", bytes(range(256)) * 3), (b"IDAT", compressed), (b"IEND", b"")]
    chunks = [chunk for chunk in chunks if colour_type == 3 or chunk[0] != b"PLTE"]
    sums = (zlib.crc32(kind + body) for kind, body in chunks)
    written = (
        struct.pack(">L", len(c[1])) + c[0] + c[1] + struct.pack(">L", s) for c, s in zip(chunks, sums, strict=True)
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


class TestPng:
    KINDS = [
        (0, 8, 1),
        (2, 8, 3),
        (3, 8, 1),
        (4, 8, 2),
        (6, 8, 4),
        (0, 16, 2),
        (2, 16, 6),
        (0, 1, 1 / 8),
        (0, 4, 1 / 2),
    ]

    @pytest.mark.parametrize(("colour_type", "bits", "width"), KINDS)
    def test_rows_are_missing(self, colour_type, bits, width):
        rows = bytes(int(512 * (1 + 512 * width)))
        assert read_radiograph(png(colour_type, bits, zlib.compress(rows))).image.shape == (512, 512)
        for lacking in (1, len(rows) // 2):
            with pytest.raises(TruncatedImageError):
                read_radiograph(png(colour_type, bits, zlib.compress(rows[:-lacking])))

    @pytest.mark.parametrize("is_interlaced", [False, True])
    def test_the_stream_is_cut(self, is_interlaced):
        passes = [(64, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512)]  # rows and columns
        rows = b"".join(bytes(r * (1 + c)) for r, c in (passes if is_interlaced else [(512, 512)]))
        assert read_radiograph(png(0, 8, zlib.compress(rows), is_interlaced)).image.shape == (512, 512)
        for broken in (zlib.compress(rows)[:-100], zlib.compress(rows[:-1]), zlib.compress(rows, 0)[: len(rows) // 2]):
            with pytest.raises(TruncatedImageError):
                read_radiograph(png(0, 8, broken, is_interlaced))
