"""Reading PNG, JPEG and WebP, and refusing everything else by its reason."""

import io
import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from app.segmentation.errors import (
    EmptyFileError,
    FileTooLargeError,
    ImageTooSmallError,
    MultiFrameError,
    PleuraError,
    TooManyPixelsError,
    TruncatedImageError,
    UnsupportedFormatError,
)
from app.segmentation.reading.geometry import Laterality
from app.segmentation.reading.image_io import read_radiograph
from app.segmentation.reading.radiograph import MAX_BYTES, Radiograph
from tests.support.film_files import to_dicom, to_png
from training.releasing.phantom.drawing import draw_phantom

RAMP = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
FILM = draw_phantom(seed=1, size=256).image


def encoded(picture: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def grey(levels: np.ndarray) -> Image.Image:
    return Image.fromarray(levels)


def levels_of(radiograph: Radiograph) -> np.ndarray:
    return np.round(radiograph.image * 255).astype(int)


class TestGreyLevels:
    def test_png_of_8_bits_keeps_every_level(self):
        radiograph = read_radiograph(encoded(grey(RAMP), "PNG"))
        assert radiograph.image.dtype == np.float32
        assert np.array_equal(radiograph.image, RAMP / np.float32(255))
        assert (radiograph.source_format, radiograph.bits_stored, radiograph.is_colour) == ("PNG", 8, False)
        assert radiograph.pixel_spacing_mm is None

    @pytest.mark.parametrize(("brightest", "bits"), [(255, 8), (1000, 10), (4095, 12), (4096, 13), (65535, 16)])
    def test_png_of_16_bits_is_scaled_by_the_depth_in_use(self, brightest, bits):
        levels = np.linspace(0, brightest, 256 * 256).astype(np.uint16).reshape(256, 256)
        radiograph = read_radiograph(encoded(grey(levels), "PNG"))
        assert radiograph.bits_stored == bits
        assert np.abs(radiograph.image - levels / (2**bits - 1)).max() < 1e-6

    def test_png_of_1_bit_is_black_and_white(self):
        radiograph = read_radiograph(encoded(grey(RAMP).point(lambda level: 255 * (level > 99), "1"), "PNG"))
        assert np.array_equal(radiograph.image, (RAMP > 99).astype(np.float32))

    def test_transparent_pixels_are_black(self):
        alpha = np.where(RAMP > 99, 255, 0).astype(np.uint8)
        for picture in (
            Image.merge("LA", [grey(RAMP), grey(alpha)]),
            Image.merge("RGBA", [*[grey(RAMP)] * 3, grey(alpha)]),
        ):
            radiograph = read_radiograph(encoded(picture, "PNG"))
            assert np.array_equal(levels_of(radiograph), np.where(RAMP > 99, RAMP, 0))
            assert not radiograph.is_colour

    def test_palette_is_looked_up(self):
        picture = grey(RAMP)
        picture.putpalette(bytes(255 - level for level in range(256) for _ in range(3)))
        radiograph = read_radiograph(encoded(picture, "PNG"))
        assert np.array_equal(levels_of(radiograph), 255 - RAMP)
        assert not radiograph.is_colour

    def test_colours_become_their_luma(self):
        radiograph = read_radiograph(encoded(Image.new("RGB", (256, 256), (200, 100, 50)), "PNG"))
        assert levels_of(radiograph)[0, 0] == pytest.approx(0.299 * 200 + 0.587 * 100 + 0.114 * 50, abs=1)
        assert radiograph.is_colour

    def test_grey_film_saved_as_colour_is_not_coloured(self):
        for picture in (encoded(grey(RAMP).convert("RGB"), "PNG"), encoded(grey(RAMP).convert("RGB"), "JPEG")):
            assert not read_radiograph(picture).is_colour

    def test_jpeg_and_webp_are_near_the_original(self):
        film = grey(np.round(255 * FILM).astype(np.uint8))
        for file_format in ("JPEG", "WEBP"):
            radiograph = read_radiograph(encoded(film, file_format, quality=95))
            assert radiograph.source_format == file_format
            assert np.abs(radiograph.image - FILM).mean() < 1.5 / 255

    def test_cmyk_jpeg(self):
        radiograph = read_radiograph(encoded(grey(RAMP).convert("CMYK"), "JPEG", quality=100))
        assert radiograph.source_format == "JPEG"
        assert np.abs(levels_of(radiograph) - RAMP).max() <= 3

    def test_photograph_lies_as_its_camera_was_held(self):
        exif = Image.Exif()
        exif[0x0112] = 6  # to be turned a quarter clockwise
        radiograph = read_radiograph(encoded(grey(np.tile(RAMP, (2, 1))), "JPEG", exif=exif, quality=100))
        assert radiograph.image.shape == (256, 512)
        assert np.abs(levels_of(radiograph)[:, 0] - np.arange(256)).max() <= 2

    def test_first_picture_of_a_telephones_photo(self):
        photo = encoded(grey(RAMP), "MPO", save_all=True, append_images=[grey(RAMP[::2, ::2])])
        radiograph = read_radiograph(photo)
        assert (radiograph.source_format, radiograph.image.shape) == ("JPEG", (256, 256))


class TestLaterality:
    def test_patients_right_is_at_the_pictures_left(self):
        film = Radiograph(np.zeros((300, 400), np.float32), "PNG")
        assert film.geometry.laterality_at(199) is Laterality.RIGHT
        assert film.geometry.laterality_at(200) is Laterality.LEFT

    def test_mirrored(self):
        film = Radiograph(np.zeros((300, 400), np.float32), "DICOM", image_left=Laterality.LEFT)
        assert film.geometry.laterality_at(10) is Laterality.LEFT
        assert film.geometry.laterality_at(390) is Laterality.RIGHT


class TestBrightBone:
    @pytest.mark.parametrize("negative", [to_png(1 - FILM), to_dicom(1 - FILM, bits_stored=8)], ids=["PNG", "DICOM"])
    def test_a_negative_is_read_as_the_film_it_was_made_from(self, negative):
        film = read_radiograph(to_png(FILM))
        corrected = read_radiograph(negative)
        assert (corrected.was_inverted, film.was_inverted) == (True, False)
        assert np.abs(corrected.image - film.image).max() < 1e-6

    def test_a_film_in_doubt_is_left_as_it_is(self):
        for picture in (1 - FILM.T, 1 - np.rot90(FILM, 2), RAMP / 255, np.full((256, 256), 0.5)):
            assert not read_radiograph(to_png(picture)).was_inverted


class TestRefusals:
    @pytest.mark.parametrize(
        "data",
        [
            b"\x89",
            b"not an image " * 100,
            b"%PDF-1.7\n",
            b"\x02\x00\x00\x00 begins like DICOM",
            encoded(grey(RAMP), "GIF"),
            encoded(grey(RAMP), "BMP"),
            encoded(grey(RAMP), "TIFF"),
        ],
        ids=["one byte", "text", "pdf", "like dicom", "gif", "bmp", "tiff"],
    )
    def test_other_formats(self, data):
        with pytest.raises(UnsupportedFormatError, match="not a DICOM, PNG, JPEG or WebP file"):
            read_radiograph(data)

    @pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
    @pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.95])
    def test_cut_off(self, file_format, share):
        data = encoded(grey(np.round(255 * FILM).astype(np.uint8)), file_format)
        with pytest.raises(TruncatedImageError, match="ends early or is damaged"):
            read_radiograph(data[: max(20, int(share * len(data)))])

    def test_no_bytes(self):
        with pytest.raises(EmptyFileError):
            read_radiograph(b"")

    def test_several_frames(self):
        frames = {"save_all": True, "append_images": [grey(255 - RAMP)]}
        for file_format in ("PNG", "WEBP"):
            with pytest.raises(MultiFrameError, match="2 frames") as refusal:
                read_radiograph(encoded(grey(RAMP), file_format, **frames))
            assert np.abs(refusal.value.picture - RAMP / 255).mean() < 1 / 255

    def test_too_many_bytes(self):
        with pytest.raises(FileTooLargeError, match=r"100\.0 MiB; 100 MiB is the limit"):
            read_radiograph(bytes(MAX_BYTES + 1))

    @pytest.mark.parametrize(("width", "height"), [(255, 3000), (3000, 255), (1, 1)])
    def test_too_few_pixels(self, width, height):
        with pytest.raises(ImageTooSmallError, match=f"{width} × {height} pixels") as refusal:
            read_radiograph(encoded(Image.new("L", (width, height)), "PNG"))
        assert refusal.value.picture.shape == (height, width)

    @pytest.mark.parametrize(("width", "height"), [(7072, 7072), (50_001, 1000), (40_000, 40_000)])
    def test_too_many_pixels_are_refused_before_decoding(self, width, height):
        """The file ends after its header: decoding it would have failed otherwise."""
        header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
        png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
        png += struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
        with pytest.raises(TooManyPixelsError, match="megapixels"):
            read_radiograph(png)


SOUND_FILES = {
    "png": to_png(FILM),
    "png16": to_png(FILM, bits=12),
    "jpeg": encoded(grey(np.round(255 * FILM).astype(np.uint8)), "JPEG"),
    "progressive": encoded(grey(np.round(255 * FILM).astype(np.uint8)), "JPEG", progressive=True),
    "webp": encoded(grey(np.round(255 * FILM).astype(np.uint8)), "WEBP"),
}


@pytest.mark.parametrize("name", SOUND_FILES)
def test_damaged_files_are_refused_or_read_but_never_crash(name):
    chance = random.Random(name)
    for _ in range(60):
        data = bytearray(SOUND_FILES[name])
        for _ in range(chance.choice((1, 2, 20))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
        try:
            image = read_radiograph(bytes(data)).image
        except PleuraError:
            continue
        assert 0 <= image.min() <= image.max() <= 1
