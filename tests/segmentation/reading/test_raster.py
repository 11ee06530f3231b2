"""PNG and JPEG files of every depth, and those that were made to take long."""

import io
import random
import struct
import zlib

import cv2
import imagecodecs
import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydicom.encaps import encapsulate
from pydicom.uid import JPEGBaseline8Bit, JPEGLosslessSV1

from app.segmentation.errors import InvalidImageError, MultiFrameError, TooManyPixelsError, TruncatedImageError
from app.segmentation.reading.codestreams import MAX_SCANS
from app.segmentation.reading.image_io import read_radiograph
from app.segmentation.reading.jpeg_segments import MAX_SEGMENTS
from app.segmentation.reading.png import MAX_CHUNKS
from tests.support.film_files import to_dicom
from training.releasing.phantom.drawing import draw_phantom

FILM = draw_phantom(seed=1, size=256).image
DEEP = np.round(FILM * 4095).astype(np.uint16)
SHALLOW = np.round(FILM * 255).astype(np.uint8)
OPAQUE = np.full_like(DEEP, 65535)


def close(radiograph, expected: np.ndarray, tolerance: float = 0.6 / 4095) -> bool:
    return radiograph.image.dtype == np.float32 and np.abs(radiograph.image - expected).max() < tolerance


JFIF = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
ADOBE = b"\xff\xee\0\x0eAdobe\0\x64" + bytes(4)
VIDEO = b"MotionPhoto_Data\0\0\0\x18ftypmp42" + random.Random(3).randbytes(8_000_000)
"""Behind a photograph; it has a hundred times the bytes of a scan's marker in it."""


def jpeg(**options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(SHALLOW).save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


def png(**options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(SHALLOW).save(buffer, "PNG", **options)
    return buffer.getvalue()


def unnamed(coded: bytes) -> bytes:
    """A JPEG of libjpeg's without loss, without Adobe's marker and with components that are not named R, G and B."""
    numbered = coded.replace(b"R\x11\0G\x11\0B\x11\0", b"\1\x11\0\2\x11\0\3\x11\0")
    return coded[:2] + numbered.replace(b"R\0G\0B\0", b"\1\0\2\0\3\0")[2 + len(ADOBE) + 1 :]


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


class TestDeepPng:
    @pytest.mark.parametrize(
        "channels",
        [
            [DEEP],
            [DEEP, OPAQUE],
            [DEEP, DEEP, DEEP],
            [DEEP, DEEP, DEEP, OPAQUE],
            [DEEP, DEEP, DEEP, OPAQUE // 16],
        ],
        ids=["grey", "grey and alpha", "RGB", "RGBA", "RGBA of 12 bits"],
    )
    def test_12_bits_in_16_are_scaled_by_the_depth_in_use(self, channels):
        levels = channels[0] if len(channels) == 1 else np.stack(channels, axis=-1)
        radiograph = read_radiograph(imagecodecs.png_encode(levels))
        assert (radiograph.bits_stored, radiograph.is_colour) == (12, False)
        assert close(radiograph, FILM)

    @pytest.mark.parametrize("samples", [1, 2, 3, 4])
    def test_all_16_bits_are_kept(self, samples):
        levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
        stacked = np.stack([levels] * (samples - (samples + 1) % 2) + [OPAQUE] * ((samples + 1) % 2), axis=-1)
        radiograph = read_radiograph(imagecodecs.png_encode(stacked.squeeze()))
        assert np.abs(radiograph.image - levels / 65535).max() < 1e-6

    def test_half_opaque_pixels_are_shown_on_black(self):
        half = np.where(np.arange(256) < 128, 65535, 32768).astype(np.uint16) * np.ones((256, 1), np.uint16)
        radiograph = read_radiograph(imagecodecs.png_encode(np.stack([DEEP, half], axis=-1)))
        assert close(radiograph, FILM * half / 65535)

    def test_a_transparent_level_is_black(self):
        plain = imagecodecs.png_encode(np.where(FILM > 0.5, 4095, 1000).astype(np.uint16))
        film = plain[:33] + chunk(b"tRNS", struct.pack(">H", 1000)) + plain[33:]
        assert set(np.unique(read_radiograph(film).image)) == {0.0, 1.0}

    @pytest.mark.parametrize("samples", [2, 4])
    def test_levels_that_are_hidden_do_not_count(self, samples):
        is_hidden = np.arange(256)[:, None] < 50
        colours = [np.where(is_hidden, level, DEEP).astype(np.uint16) for level in (65535, 0, 30000)[: samples - 1]]
        levels = np.stack([*colours, np.where(is_hidden, 0, OPAQUE)], axis=-1).astype(np.uint16)
        radiograph = read_radiograph(imagecodecs.png_encode(levels))
        assert (radiograph.bits_stored, radiograph.is_colour) == (12, False)
        assert close(radiograph, np.where(is_hidden, 0, FILM))

    @pytest.mark.parametrize("samples", [1, 3])
    def test_the_transparent_colour_does_not_count(self, samples):
        is_hidden = np.arange(256)[:, None] < 50
        colour = (65535, 0, 30000)[:samples]
        levels = np.stack([np.where(is_hidden, level, DEEP) for level in colour], axis=-1).astype(np.uint16)
        plain = imagecodecs.png_encode(levels.squeeze())
        radiograph = read_radiograph(plain[:33] + chunk(b"tRNS", struct.pack(f">{samples}H", *colour)) + plain[33:])
        assert (radiograph.bits_stored, radiograph.is_colour) == (12, False)
        assert close(radiograph, np.where(is_hidden, 0, FILM))

    def test_a_transparent_colour_beside_an_alpha_channel_is_none(self):
        plain = imagecodecs.png_encode(np.stack([DEEP, OPAQUE], axis=-1))
        level = struct.pack(">H", int(DEEP[128, 128]))
        assert close(read_radiograph(plain[:33] + chunk(b"tRNS", level) + plain[33:]), FILM)

    def test_colours_become_their_luma(self):
        levels = np.zeros((256, 256, 3), np.uint16)
        levels[:] = (3200, 1600, 800)
        radiograph = read_radiograph(imagecodecs.png_encode(levels))
        assert radiograph.image[0, 0] == pytest.approx((0.299 * 3200 + 0.587 * 1600 + 0.114 * 800) / 4095, abs=1e-3)
        assert radiograph.is_colour

    @pytest.mark.parametrize("held", range(1, 9))
    def test_it_lies_as_its_camera_was_held(self, held):
        exif = Image.Exif()
        exif[0x0112] = held
        wide = np.ascontiguousarray(DEEP[:, :].repeat(2, axis=1))
        deep, shallow = imagecodecs.png_encode(wide), imagecodecs.png_encode((wide >> 4).astype(np.uint8))
        data = chunk(b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"))
        ours, pillows = (read_radiograph(file[:33] + data + file[33:]).image for file in (deep, shallow))
        assert ours.shape == pillows.shape
        assert np.abs(ours - pillows).max() < 1 / 200


def packed(levels: np.ndarray, bits: int, *chunks: bytes) -> bytes:
    """A grey PNG of 1 to 8 bits."""
    rows = np.unpackbits(levels.astype(np.uint8)[..., None], axis=-1)[..., 8 - bits :].reshape(len(levels), -1)
    data = np.insert(np.packbits(rows, axis=1), 0, 0, axis=1).tobytes()
    header = struct.pack(">IIBBBBB", levels.shape[1], len(levels), bits, 0, 0, 0, 0)
    written = [chunk(b"IHDR", header), *chunks, chunk(b"IDAT", zlib.compress(data)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


class TestTransparentColour:
    @pytest.mark.parametrize("surplus", [0, 0x100, 0xFF00])
    @pytest.mark.parametrize(("bits", "level"), [(1, 0), (1, 1), (2, 1), (2, 2), (4, 5), (4, 9), (4, 11), (8, 99)])
    def test_every_depth(self, bits, level, surplus):
        """Bits above the depth mean nothing (W3C PNG 11.3.1.1)."""
        top = 2**bits - 1
        levels = np.round(FILM * top).astype(int)
        film = read_radiograph(packed(levels, bits, chunk(b"tRNS", struct.pack(">H", level + surplus))))
        assert (levels == level).any()
        assert close(film, np.where(levels == level, 0, levels / top), 1e-6)

    def test_colours(self):
        levels = np.dstack([SHALLOW] * 3)
        levels[:50] = (255, 10, 100)
        plain = imagecodecs.png_encode(levels)
        film = read_radiograph(plain[:33] + chunk(b"tRNS", struct.pack(">3H", 0x01FF, 10, 100)) + plain[33:])
        assert close(film, np.where(np.arange(256)[:, None] < 50, 0, SHALLOW / 255), 1e-6)
        assert not film.is_colour

    @pytest.mark.parametrize("body", [b"", b"\0", b"\0\1\0"])
    def test_one_that_is_cut_is_none(self, body):
        plain = imagecodecs.png_encode(np.dstack([SHALLOW] * 3))
        assert close(read_radiograph(plain[:33] + chunk(b"tRNS", body) + plain[33:]), SHALLOW / 255, 1e-6)

    @pytest.mark.parametrize("kind", ["PNG", "WEBP"])
    def test_colours_that_are_hidden_make_no_film_coloured(self, kind):
        colours = np.dstack([SHALLOW] * 3 + [np.full_like(SHALLOW, 255)])
        colours[:50] = (255, 0, 0, 0)
        buffer = io.BytesIO()
        Image.fromarray(colours).save(buffer, kind, lossless=True, exact=True)
        film = read_radiograph(buffer.getvalue())
        assert close(film, np.where(np.arange(256)[:, None] < 50, 0, SHALLOW / 255), 1e-6)
        assert not film.is_colour


class TestStatedShape:
    """Of pictures whose pixels are oblong by their file, hardly one's are (mpv-player/mpv#3945); so it is not asked."""

    @pytest.mark.parametrize("unit", [0, 1])
    def test_of_a_png(self, unit):
        film = png()
        said = chunk(b"pHYs", struct.pack(">IIB", 2, 1, unit))
        assert close(read_radiograph(film[:33] + said + film[33:]), SHALLOW / 255, 1e-6)

    @pytest.mark.parametrize("unit", [0, 1, 2])
    def test_of_a_jpeg(self, unit):
        film = jpeg()
        said = film[:13] + struct.pack(">BHH", unit, 2, 1) + film[18:]
        assert np.array_equal(read_radiograph(said).image, read_radiograph(film).image)


class TestTextsAndProfiles:
    @pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
    @pytest.mark.parametrize("exif", [b"", b"MM\0*\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff", b"no TIFF at all"])
    def test_damaged_exif_data_say_nothing(self, exif):
        shallow = png()
        assert close(read_radiograph(shallow[:33] + chunk(b"eXIf", exif) + shallow[33:]), SHALLOW / 255, 1e-6)
        deep = imagecodecs.png_encode(DEEP)
        assert close(read_radiograph(deep[:33] + chunk(b"eXIf", exif) + deep[33:]), FILM)
        segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 8) + b"Exif\0\0" + exif
        photo = jpeg()
        assert np.array_equal(read_radiograph(photo[:2] + segment + photo[2:]).image, read_radiograph(photo).image)

    def test_a_long_text_or_profile_changes_nothing(self):
        texts = PngInfo()
        texts.add_text("Comment", "A" * 3_000_000, zip=True)
        texts.add_text("Description", "B" * 2_000_000)
        texts.add_itxt("XML:com.adobe.xmp", "C" * 1_000_000, zip=True)
        assert close(read_radiograph(png(pnginfo=texts, icc_profile=bytes(3_000_000))), SHALLOW / 255, 1e-6)

    def test_a_bomb_in_a_text_is_never_inflated(self):
        film = png()
        bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200_000_000), 9))
        assert close(read_radiograph(film[:33] + bomb + film[33:]), SHALLOW / 255, 1e-6)

    def test_segments_of_a_jpeg_change_nothing(self):
        film = jpeg()
        more = b"".join(struct.pack(">HH", marker, 60_000) + bytes(59_998) for marker in (0xFFE5, 0xFFFE, 0xFFE2) * 9)
        assert np.array_equal(read_radiograph(film[:2] + more + film[2:]).image, read_radiograph(film).image)

    def test_a_wrong_sum_of_a_text_does_not_matter_and_of_the_picture_does(self):
        film = png()
        assert close(read_radiograph(film[:33] + chunk(b"tEXt", b"a\0b")[:-1] + b"\0" + film[33:]), SHALLOW / 255, 1e-6)
        with pytest.raises(TruncatedImageError):
            read_radiograph(film[:60] + bytes([film[60] ^ 1]) + film[61:])


class TestDeepJpeg:
    @pytest.mark.parametrize(
        ("data", "tolerance", "method"),
        [
            (imagecodecs.jpeg8_encode(DEEP, level=98, bitspersample=12), 0.02, "ISO_10918_1"),
            (imagecodecs.jpeg8_encode(DEEP, lossless=True, bitspersample=12), 1e-3, None),
            (imagecodecs.jpegls_encode(DEEP), 1e-3, None),
            (imagecodecs.jpegls_encode(np.minimum(DEEP, 4090), level=2), 3e-3, "ISO_14495_1"),
        ],
        ids=["12 bits", "lossless", "JPEG-LS", "JPEG-LS near"],
    )
    def test_it_is_read_by_its_own_precision(self, data, tolerance, method):
        radiograph = read_radiograph(data)
        assert radiograph.source_format == "JPEG"
        assert close(radiograph, FILM, tolerance)
        assert radiograph.header.text("LossyImageCompressionMethod") == (method or "")

    def test_a_dark_film_of_12_bits_stays_dark(self):
        radiograph = read_radiograph(imagecodecs.jpeg8_encode(DEEP // 8, lossless=True, bitspersample=12))
        assert (radiograph.bits_stored, round(float(radiograph.image.max()), 2)) == (
            12,
            round(DEEP.max() / 8 / 4095, 2),
        )

    def test_8_bits_without_loss(self):
        for data in (imagecodecs.jpegls_encode(SHALLOW), imagecodecs.jpeg8_encode(SHALLOW, lossless=True)):
            radiograph = read_radiograph(data)
            assert np.array_equal(np.round(radiograph.image * 255), SHALLOW)
            assert not radiograph.header.texts

    def test_colours_of_12_bits(self):
        levels = np.stack([DEEP] * 3, axis=-1)
        assert close(read_radiograph(imagecodecs.jpeg8_encode(levels, level=98, bitspersample=12)), FILM, 0.02)

    @pytest.mark.parametrize("bits", [8, 12, 16])
    def test_colours_without_loss(self, bits):
        top = 2**bits - 1
        rgb = np.round(np.dstack([FILM, np.roll(FILM, 9, axis=0), FILM / 2]) * top).astype(f"u{1 if bits == 8 else 2}")
        luma = rgb @ np.array([0.299, 0.587, 0.114]) / top
        adobe = imagecodecs.jpeg8_encode(rgb, lossless=True, bitspersample=bits)
        bare = adobe[:2] + adobe[18:]
        for film in (adobe, bare, adobe[:2] + JFIF + adobe[2:], bare[:2] + JFIF + bare[2:]):  # named R, G and B
            radiograph = read_radiograph(film)
            assert close(radiograph, luma, 1.1 / 255 if bits == 8 else 1e-3)
            assert radiograph.is_colour

    @pytest.mark.parametrize("bits", [8, 12, 16])
    @pytest.mark.parametrize(("marker", "is_ybr"), [("JFIF", True), ("Adobe 1", True), ("Adobe 0", False), ("", False)])
    def test_luma_and_chroma_without_loss(self, marker, is_ybr, bits):
        top = 2**bits - 1
        luma = np.round(FILM * top)
        ybr = np.dstack([luma, np.full_like(luma, 2 ** (bits - 1)), np.full_like(luma, 2 ** (bits - 1))])
        coded = unnamed(
            imagecodecs.jpeg8_encode(ybr.astype(f"u{1 if bits == 8 else 2}"), lossless=True, bitspersample=bits)
        )
        written = {"JFIF": JFIF, "Adobe 1": ADOBE + b"\1", "Adobe 0": ADOBE + b"\0"}.get(marker, b"")
        radiograph = read_radiograph(coded[:2] + written + coded[2:])
        assert radiograph.is_colour != is_ybr  # grey has no chroma
        assert close(radiograph, luma / top, 1e-6) == is_ybr

    @pytest.mark.parametrize("share", [0.3, 0.95])
    def test_colours_without_loss_are_cut_off(self, share):
        film = unnamed(imagecodecs.jpeg8_encode(np.dstack([SHALLOW] * 3), lossless=True))
        film = film[:2] + JFIF + film[2:]
        with pytest.raises(TruncatedImageError, match="ends early"):
            read_radiograph(film[: int(share * len(film))] + b"\xff\xd9")

    def test_two_components_are_refused_by_name(self):
        film = bytearray(jpeg())
        frame = film.index(b"\xff\xc0")
        film[frame + 2 : frame + 13] = struct.pack(">HBHHB", 14, 8, 256, 256, 2) + bytes([1, 0x11, 0, 2, 0x11, 0])[:3]
        film[frame + 13 : frame + 13] = bytes([2, 0x11, 0])
        with pytest.raises(InvalidImageError, match="2 components"):
            read_radiograph(bytes(film))

    @pytest.mark.parametrize("share", [0.3, 0.95])
    def test_cut_off(self, share):
        for data in (imagecodecs.jpeg8_encode(DEEP, level=90, bitspersample=12), imagecodecs.jpegls_encode(DEEP)):
            with pytest.raises(TruncatedImageError, match="ends early or is damaged"):
                read_radiograph(data[: int(share * len(data))])


class TestBehindTheImage:
    FILMS = {
        "baseline": jpeg(),
        "progressive": jpeg(progressive=True),
        "restarted": jpeg(restart_marker_rows=1),
        "12 bits": imagecodecs.jpeg8_encode(DEEP, bitspersample=12),
        "lossless": imagecodecs.jpeg8_encode(DEEP, lossless=True, bitspersample=12),
        "JPEG-LS": imagecodecs.jpegls_encode(DEEP),
    }

    @pytest.mark.parametrize("name", FILMS)
    def test_a_video(self, name):
        assert VIDEO.count(b"\xff\xda") > MAX_SCANS
        film, photo = (read_radiograph(data) for data in (self.FILMS[name], self.FILMS[name] + VIDEO))
        assert np.array_equal(photo.image, film.image)
        assert photo.header == film.header  # nor is the video part of what was compressed

    @pytest.mark.parametrize("name", ["baseline", "progressive", "lossless"])
    @pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGLosslessSV1])
    def test_a_video_in_dicom(self, name, syntax):
        frames = [encapsulate([self.FILMS[name] + behind]) for behind in (b"", VIDEO)]
        film, photo = (
            read_radiograph(to_dicom(FILM, bits_stored=8, transfer_syntax=syntax, PixelData=frame)) for frame in frames
        )
        assert np.array_equal(photo.image, film.image)

    def test_another_picture_is_not_the_missing_rest(self):
        film = jpeg()
        with pytest.raises(TruncatedImageError):
            read_radiograph(film[: len(film) // 2] + film)

    @pytest.mark.parametrize("marker", [b"\xff\xfe", b"\xff\xe1", b"\xff\xe9"])
    def test_an_end_inside_a_segment_is_none(self, marker):
        film = jpeg(progressive=True)
        last = film.rindex(b"\xff\xda")
        thumbnail = marker + struct.pack(">H", len(film) + 2) + film
        for photo in (film[:2] + thumbnail + film[2:], film[:last] + thumbnail + film[last:]):
            assert np.array_equal(read_radiograph(photo).image, read_radiograph(film).image)


class TestBombs:
    """Each would take minutes; that it is refused, by what it is, holds only where nothing began to decode it."""

    def test_thousands_of_scans(self):
        film = jpeg(progressive=True)
        last = film.rindex(b"\xff\xda")
        with pytest.raises(InvalidImageError, match="scans"):
            read_radiograph(film[:last] + film[last:-2] * 5000 + film[-2:])

    @pytest.mark.parametrize("marker", [b"\xff\x01", b"\xff\x02", b"\xff\xd0", b"\xff\xd8"])
    def test_scans_that_a_marker_without_length_seems_to_skip(self, marker):
        film = jpeg(progressive=True)
        scan = film[film.rindex(b"\xff\xda") : -2]
        with pytest.raises(InvalidImageError, match="scans"):
            read_radiograph(film[:-2] + marker + struct.pack(">H", 60_000) + scan * 3000 + film[-2:])

    def test_scans_behind_an_end_inside_a_comment(self):
        film = jpeg(progressive=True)
        last = film.rindex(b"\xff\xda")
        with pytest.raises(InvalidImageError, match="scans"):
            read_radiograph(film[:last] + b"\xff\xfe\0\4" + film[-2:] + film[last:-2] * 3000 + film[-2:])

    def test_hundreds_of_thousands_of_segments(self):
        film = jpeg()
        with pytest.raises(InvalidImageError, match=f"{MAX_SEGMENTS:,} segments"):
            read_radiograph(film[:2] + b"\xff\xfe\0\2" * 300_000 + film[2:])

    def test_hundreds_of_thousands_of_chunks(self):
        film = png()
        with pytest.raises(InvalidImageError, match=f"{MAX_CHUNKS:,} chunks"):
            read_radiograph(film[:33] + chunk(b"IDAT", b"") * (MAX_CHUNKS + 1) + film[33:])

    @pytest.mark.parametrize("head", [b"\xff\xd8\xff\xc0\0\x0b\x08", b"\xff\xd8\xff\xf7\0\x0b\x10"], ids=["JPEG", "LS"])
    def test_too_many_pixels(self, head):
        scan = b"\xff\xda\0\x08\x01\x01\0\0\0\0" + b"\xff\xd9"
        with pytest.raises(TooManyPixelsError, match="60000 × 60000"):
            read_radiograph(head + struct.pack(">HHB", 60000, 60000, 1) + b"\x01\x11\0" + scan)

    def test_an_animation_is_several_pictures(self):
        buffer = io.BytesIO()
        frames = [Image.fromarray(SHALLOW), Image.fromarray(255 - SHALLOW), Image.fromarray(SHALLOW // 2)]
        frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:])
        with pytest.raises(MultiFrameError, match="3 frames") as refusal:
            read_radiograph(buffer.getvalue())
        assert np.abs(refusal.value.picture - SHALLOW / 255).max() < 1e-6


def test_an_interlaced_png():
    """Pillow writes none; libpng's own test images have this form."""
    film = cv2.imencode(".png", DEEP)[1].tobytes()
    assert close(read_radiograph(film), FILM)


def test_the_second_picture_of_a_telephone_is_left_alone():
    buffer = io.BytesIO()
    Image.fromarray(SHALLOW).save(
        buffer, "MPO", save_all=True, append_images=[Image.fromarray(SHALLOW[::2, ::2])], quality=95
    )
    assert np.abs(read_radiograph(buffer.getvalue()).image - SHALLOW / 255).mean() < 0.01
