"""Compressed DICOM pixel data to grey levels: a decoding plugin of pydicom on imagecodecs.

The codecs behind it (libjpeg-turbo, CharLS, OpenJPEG) answer damaged data with an exception;
GDCM's bindings abort the whole process instead (python-gdcm issue 34).
"""

import io

import imagecodecs
import numpy as np
from PIL import Image
from pydicom.pixels import get_decoder
from pydicom.pixels.decoders.base import DecodeRunner
from pydicom.uid import (
    JPEG2000,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

PLUGIN = "imagecodecs"
JPEG_LS = (JPEGLSLossless, JPEGLSNearLossless)
JPEG_2000 = (JPEG2000Lossless, JPEG2000)
COMPRESSED = (
    *(JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1),
    *JPEG_LS,
    *JPEG_2000,
    RLELossless,
)
END_OF_IMAGE = b"\xff\xd9"  # ends JPEG, JPEG-LS and JPEG 2000 alike


def is_available(uid: str) -> bool:
    """Answer pydicom's question whether this plugin decodes a transfer syntax."""
    return uid in COMPRESSED


def decode_frame(frame: bytes, runner: DecodeRunner) -> bytes | bytearray:
    """Decode one frame, as pydicom asks of a plugin.

    Args:
        frame: The compressed frame.
        runner: What the DICOM header says of it; told of what differs afterwards.

    Raises:
        ValueError: If the frame is cut off, or of another size or depth than the header says.
        RuntimeError: If it is damaged.
    """
    if runner.transfer_syntax == RLELossless:
        return _expanded(frame, runner)
    if END_OF_IMAGE not in frame[-16:]:
        raise ValueError("The compressed frame ends early.")
    runner.set_option("planar_configuration", 0)
    levels = _decoded(frame, runner)
    runner.set_option("bits_allocated", 8 * levels.itemsize)
    return levels.tobytes()


def _decoded(frame: bytes, runner: DecodeRunner) -> np.ndarray:
    """Decode into an array of the announced shape, so that a frame of another size is refused before it is decoded."""
    samples = runner.samples_per_pixel
    shape = (runner.rows, runner.columns) if samples == 1 else (runner.rows, runner.columns, samples)
    if runner.transfer_syntax in JPEG_2000:
        with Image.open(io.BytesIO(frame), formats=("JPEG2000",)) as announced:
            if announced.size != (runner.columns, runner.rows):
                raise ValueError(f"The frame has {announced.size} pixels, not {(runner.columns, runner.rows)}.")
        if samples == 3:
            runner.set_option("photometric_interpretation", "RGB")  # OpenJPEG undoes JPEG 2000's colour transforms
        return imagecodecs.jpeg2k_decode(frame)
    levels = np.empty(shape, np.uint8 if runner.bits_stored <= 8 else np.uint16)
    if runner.transfer_syntax in JPEG_LS:
        return imagecodecs.jpegls_decode(frame, out=levels)
    as_stored = "YCBCR" if samples == 3 else None  # pydicom converts colours, by what the header says
    return imagecodecs.jpeg8_decode(frame, colorspace=as_stored, outcolorspace=as_stored, out=levels)


def _expanded(frame: bytes, runner: DecodeRunner) -> bytearray:
    """Undo run-length encoding, by no more than the announced length."""
    level = np.dtype(f"<u{runner.bits_allocated // 8}")
    levels = bytearray(runner.rows * runner.columns * runner.samples_per_pixel * level.itemsize)
    imagecodecs.dicomrle_decode(frame, level, out=levels)
    runner.set_option("planar_configuration", 1)
    return levels


for _syntax in COMPRESSED:
    get_decoder(_syntax).add_plugin(PLUGIN, (__name__, decode_frame.__name__))
