"""A PNG, JPEG, JPEG-LS or WebP file to a `Radiograph`."""

import contextlib
import io
import struct
import warnings
import zlib

import cv2
import imagecodecs
import numpy as np
from PIL import Image, ImageOps

from app.segmentation.errors import InvalidImageError, MultiFrameError, TooManyPixelsError, TruncatedImageError
from app.segmentation.reading import jpeg, jpeg_segments, png
from app.segmentation.reading.codestreams import codestream_of
from app.segmentation.reading.file_header import FileHeader
from app.segmentation.reading.jpeg_scans import refuse_early_end
from app.segmentation.reading.radiograph import MAX_PIXELS, Radiograph, full_scale, is_colourful, luma, refuse_large

FORMATS = ("PNG", "JPEG", "WEBP")
GREY_MODES = ("1", "L", "LA", "I", "I;16")
BLOCK_ROWS = 256
SAMPLED_SIDE = 1024
"""Pixels a side by which a film's colours are told."""

ORIENTATION = 0x0112
"""EXIF's tag of how the camera was held."""

DAMAGE = (
    *(ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, SyntaxError, TypeError, ValueError),
    *(struct.error, zlib.error),
)
"""What Pillow and the codecs raise on damaged files, found by mutating sound ones."""

warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)  # refuse_large decides
warnings.filterwarnings("ignore", message="Corrupt EXIF data")  # they say nothing of the picture then


def looks_like_raster(data: bytes) -> bool:
    """Whether to read a file as one of `FORMATS`, by its magic number."""
    return data.startswith((png.SIGNATURE, jpeg_segments.MAGIC)) or (data[:4], data[8:12]) == (b"RIFF", b"WEBP")


def read_raster(data: bytes) -> Radiograph:
    """Decode a picture.

    Args:
        data: The whole file, of which `looks_like_raster` holds.

    Raises:
        TruncatedImageError: If it is damaged.
        MultiFrameError: If it moves.
        InvalidImageError: If it is of a kind that no film is, or would take unreasonably long.
        TooManyPixelsError: If it has too many; checked before decoding.
    """
    try:
        if data.startswith(png.SIGNATURE):
            return _read_png(png.plain_png(data))
        if data.startswith(jpeg_segments.MAGIC):
            return _read_jpeg(jpeg.plain_jpeg(data), len(data))
        return _read_webp(data)
    except Image.DecompressionBombError as error:
        raise TooManyPixelsError(
            f"The film has more than {MAX_PIXELS // 1_000_000} megapixels. Export it at a lower resolution."
        ) from error
    except DAMAGE as error:
        raise TruncatedImageError("The image ends early or is damaged; export it again.") from error


def _read_png(source: png.Png) -> Radiograph:
    if source.bits < 16:
        film = _shown(source.data, "PNG")
    else:
        levels = imagecodecs.png_decode(source.data)
        if source.transparent:
            is_hidden = (np.atleast_3d(levels) == source.transparent).all(axis=-1)
            levels[is_hidden] = 0
        film = _of_levels(levels, 16, "PNG", source.exif)
    return _only(film, source.frames)


def _read_jpeg(plain: bytes, stored_bytes: int) -> Radiograph:
    stream = codestream_of(memoryview(plain))
    if stream is None:
        raise ValueError("no codestream")
    refuse_large(stream.columns, stream.rows)
    is_ordinary = stream.kind == "JPEG" and stream.precision == 8 and stream.is_lossy
    if stream.components not in ((1, 3, 4) if is_ordinary else (1, 3)) or not 2 <= stream.precision <= 16:
        raise InvalidImageError(
            f"The JPEG has {stream.components} components of {stream.precision} bits; one or three of 8 to 16 can be "
            "read. Save it as grey."
        )
    if stream.kind == "JPEG":
        refuse_early_end(plain)
    header = FileHeader()
    if stream.is_lossy:
        method = "ISO_14495_1" if stream.kind == "JPEG-LS" else "ISO_10918_1"
        decoded_bytes = stream.columns * stream.rows * stream.components * (1 if stream.precision <= 8 else 2)
        header = FileHeader(_lossy(method, decoded_bytes / stored_bytes))
    if is_ordinary:
        return _shown(plain, "JPEG", header)
    decode = imagecodecs.jpegls_decode if stream.kind == "JPEG-LS" else imagecodecs.jpeg8_decode
    return _of_levels(decode(plain), stream.precision, "JPEG", jpeg.exif_of(plain), header)


def _read_webp(data: bytes) -> Radiograph:
    with Image.open(io.BytesIO(data), formats=("WEBP",)) as source:
        refuse_large(*source.size)
        frames, (width, height), samples = getattr(source, "n_frames", 1), source.size, len(source.getbands())
    lossy = {} if _is_lossless_webp(data) else _lossy("RFC_9649", width * height * samples / len(data))
    return _only(_shown(data, "WEBP", FileHeader(lossy)), frames)


def _only(film: Radiograph, frames: int) -> Radiograph:
    if frames == 1:
        return film
    several = MultiFrameError(f"The file holds {frames} frames; send a single film.")
    several.picture = film.image
    raise several


def _shown(data: bytes, source_format: str, header: FileHeader | None = None) -> Radiograph:
    """Have Pillow decode 8 bits a channel, or fewer: greys, or colours by their luma (ITU-R BT.601)."""
    picture = Image.open(io.BytesIO(data), formats=(source_format,))
    picture.load()
    _turn_upright(picture)
    width, height = picture.size
    step = max(1, min(picture.size) // SAMPLED_SIDE)
    sample = picture.resize((width // step, height // step), Image.Resampling.NEAREST)
    is_colour = picture.mode not in GREY_MODES and is_colourful(np.asarray(sample.convert("RGB")))
    image = np.empty((height, width), dtype=np.float32)
    for start in range(0, height, BLOCK_ROWS):  # several copies of all its colours would fill the memory
        block = picture.crop((0, start, width, min(start + BLOCK_ROWS, height)))
        np.divide(np.asarray(_greys(block)), np.float32(255), out=image[start : start + BLOCK_ROWS])
    return Radiograph(image, source_format, 8, is_colour, header=header or FileHeader())


def _turn_upright(picture: Image.Image) -> None:
    """Turn a picture as its camera was held; leave it as it is where its EXIF data are damaged."""
    with contextlib.suppress(*DAMAGE):
        ImageOps.exif_transpose(picture, in_place=True)


def _greys(picture: Image.Image) -> Image.Image:
    if picture.has_transparency_data:  # shown on black, as in a viewer
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "black"), picture)
    if picture.mode == "CMYK":
        picture = picture.convert("RGB")
    return picture.convert("L")


def _of_levels(
    levels: np.ndarray, precision: int, source_format: str, exif: bytes, header: FileHeader | None = None
) -> Radiograph:
    """Bring decoded levels to greys.

    Args:
        levels: Unsigned, (H, W) or (H, W, samples); a second or fourth sample is opacity.
        precision: Bits that white has. Sixteen are said of a film of any depth: then the depth in use counts.
        source_format: Of the file.
        exif: Data that may say how the camera was held; empty if there are none.
        header: What else the file says.
    """
    levels = np.atleast_3d(levels)
    samples = levels.shape[-1]
    colours = levels[..., :3] if samples > 2 else levels[..., 0]
    top = full_scale(int(colours.max())) if precision == 16 else 2**precision - 1
    opaque = full_scale(int(levels[..., -1].max())) if samples in (2, 4) else 0
    image = np.empty(levels.shape[:2], dtype=np.float32)
    for start in range(0, len(image), BLOCK_ROWS):  # several copies of all its colours would fill the memory
        block = np.ascontiguousarray(colours[start : start + BLOCK_ROWS])
        part = image[start : start + BLOCK_ROWS]
        np.minimum((luma(block) if block.ndim == 3 else block) / np.float32(top), 1, out=part)
        if opaque:  # shown on black, as in a viewer
            part *= levels[start : start + BLOCK_ROWS, :, -1] / np.float32(opaque)
    step = max(1, min(image.shape) // SAMPLED_SIDE)
    sample = (colours[::step, ::step] >> max(top.bit_length() - 8, 0)).astype(np.uint8)
    is_colour = sample.ndim == 3 and is_colourful(sample)
    image = _turned(image, exif)
    return Radiograph(image, source_format, max(top.bit_length(), 8), is_colour, header=header or FileHeader())


def _turned(image: np.ndarray, exif: bytes) -> np.ndarray:
    """Turn a picture as its camera was held (EXIF 4.6.5.1.6)."""
    tags = Image.Exif()
    try:
        tags.load(exif)
        held = tags.get(ORIENTATION, 1)
    except DAMAGE:
        return image
    if held in (5, 6, 7, 8):
        image = image.T
    flips = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}
    return cv2.flip(np.ascontiguousarray(image), flips[held]) if held in flips else np.ascontiguousarray(image)


def _lossy(method: str, ratio: float) -> dict[str, str]:
    """Say in DICOM's terms how a picture was compressed with loss, which every copy must say (PS3.3 C.7.6.1.1.5)."""
    return {
        "LossyImageCompression": "01",
        "LossyImageCompressionRatio": f"{ratio:.2f}",
        "LossyImageCompressionMethod": method,  # DICOM has no term of its own for WebP
    }


def _is_lossless_webp(picture: bytes) -> bool:
    """Find the first chunk with a picture in it, behind those that only describe it (RFC 9649, 2.3)."""
    start = 12
    while start + 8 <= len(picture) and picture[start : start + 4] not in (b"VP8 ", b"VP8L"):
        size = int.from_bytes(picture[start + 4 : start + 8], "little")
        start += 8 + size + size % 2
    return picture[start : start + 4] == b"VP8L"
