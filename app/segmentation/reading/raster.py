"""A PNG, JPEG, JPEG-LS or WebP file to a `Radiograph`."""

import io
import warnings
from dataclasses import replace

import imagecodecs
import numpy as np
from PIL import Image

from app.segmentation.errors import InvalidImageError, MultiFrameError, TooManyPixelsError, TruncatedImageError
from app.segmentation.reading import jpeg, jpeg_segments, png, webp
from app.segmentation.reading.codestreams import Codestream, codestream_of
from app.segmentation.reading.dicom_colours import luma_levels
from app.segmentation.reading.dicom_depth import Levels
from app.segmentation.reading.file_header import FileHeader, Loss
from app.segmentation.reading.jpeg_scans import refuse_early_end
from app.segmentation.reading.radiograph import MAX_PIXELS, Radiograph, refuse_large
from app.segmentation.reading.raster_greys import DAMAGE, of_levels, shown

FORMATS = ("PNG", "JPEG", "WEBP")

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
            return _read_jpeg(jpeg.plain_jpeg(data))
        return _read_webp(data)
    except Image.DecompressionBombError as error:
        raise TooManyPixelsError(
            f"The film has more than {MAX_PIXELS // 1_000_000} megapixels. Export it at a lower resolution."
        ) from error
    except DAMAGE as error:
        raise TruncatedImageError("The image ends early or is damaged; export it again.") from error


def _read_png(source: png.Png) -> Radiograph:
    if source.bits < 16:
        film = shown(source.data, "PNG")
    else:
        levels = imagecodecs.png_decode(source.data)
        if source.transparent:
            is_hidden = (np.atleast_3d(levels) == source.transparent).all(axis=-1)
            levels[is_hidden] = 0
        film = of_levels(levels, 16, "PNG", source.exif)
    return _only(film, source.frames)


def _read_jpeg(plain: bytes) -> Radiograph:
    stream = codestream_of(memoryview(plain))
    if stream is None:
        raise ValueError("no codestream")
    refuse_large(stream.columns, stream.rows)
    is_ordinary = stream.kind == "JPEG" and stream.precision == 8 and bool(stream.loss)
    if stream.components not in ((1, 3, 4) if is_ordinary else (1, 3)) or not 2 <= stream.precision <= 16:
        raise InvalidImageError(
            f"The JPEG has {stream.components} components of {stream.precision} bits; one or three of 8 to 16 can be "
            "read. Save it as grey."
        )
    if stream.kind == "JPEG":
        refuse_early_end(stream.data)
    header = FileHeader().after(stream.loss)
    if is_ordinary:
        return shown(stream.data, "JPEG", header)
    exif = jpeg.exif_of(plain)
    if stream.kind == "JPEG-LS":
        return of_levels(imagecodecs.jpegls_decode(stream.data), stream.precision, "JPEG", exif, header)
    if stream.components == 3 and stream.loss is None:
        return _of_lossless_colours(stream, exif)
    return of_levels(imagecodecs.jpeg8_decode(stream.data), stream.precision, "JPEG", exif, header)


def _of_lossless_colours(stream: Codestream, exif: bytes) -> Radiograph:
    """Bring colours to greys that libjpeg decodes as they are stored, because to convert them would lose something.

    What no marker says is taken for RGB, as libjpeg does.
    """
    levels = imagecodecs.jpeg8_decode(stream.data, colorspace="YCBCR", outcolorspace="YCBCR")
    if (stream.transform or ("YBR" if stream.is_jfif else "RGB")) == "RGB":
        return of_levels(levels, stream.precision, "JPEG", exif)
    greys, is_colour = luma_levels(Levels(levels, max(stream.precision, 8), False), "YBR")
    return replace(of_levels(greys.codes, stream.precision, "JPEG", exif), is_colour=is_colour)


def _read_webp(data: bytes) -> Radiograph:
    with Image.open(io.BytesIO(data), formats=("WEBP",)) as source:
        refuse_large(*source.size)
        frames, (width, height), samples = getattr(source, "n_frames", 1), source.size, len(source.getbands())
    picture = webp.picture_in(data)
    if picture is None:
        raise ValueError("no picture")
    webp.refuse_filled(data, picture)
    is_lossy = picture.kind == webp.LOSSY
    loss = Loss("RFC_9649", width * height * samples / len(data)) if is_lossy else None  # DICOM has no term for WebP
    return _only(shown(data, "WEBP", FileHeader().after(loss)), frames)


def _only(film: Radiograph, frames: int) -> Radiograph:
    if frames == 1:
        return film
    several = MultiFrameError(f"The file holds {frames} frames; send a single film.")
    several.picture = film.image
    raise several
