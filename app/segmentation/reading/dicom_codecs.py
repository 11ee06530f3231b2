"""Pixel data to stored levels: what the data are counts, then what the header says of them (PS3.5 8).

The codecs behind imagecodecs (libjpeg-turbo, CharLS, OpenJPEG) answer damaged data with an exception;
GDCM's bindings abort the whole process instead (python-gdcm issue 34).
"""

import struct
from dataclasses import dataclass

import imagecodecs
import numpy as np

from app.segmentation.errors import InvalidImageError, TruncatedImageError
from app.segmentation.reading import jpeg_segments
from app.segmentation.reading.codestreams import J2K_MAGIC, JP2_MAGIC, Codestream, codestream_of
from app.segmentation.reading.file_header import Loss
from app.segmentation.reading.jpeg_scans import refuse_early_end
from app.segmentation.reading.radiograph import refuse_large

ITEM = b"\xfe\xff\x00\xe0"
SEQUENCE_END = b"\xfe\xff\xdd\xe0"
PAUSE = b"\x80"
"""Code of a run-length encoding that stands for nothing."""
MAX_FRAGMENTS = 100_000
MAX_SURPLUS = 2**14
"""Bytes that may lie behind a run-length encoded plane: padding; with more it is of another size."""


@dataclass(frozen=True)
class Layout:
    """What the header says of the pixel data; None where it is silent.

    Attributes:
        photometric: Photometric Interpretation, upper case; "" if missing.
    """

    rows: int | None
    columns: int | None
    samples: int | None
    planar: bool
    photometric: str
    bits_allocated: int | None
    bits_stored: int | None
    high_bit: int | None
    signed: bool
    frames: int = 1


@dataclass(frozen=True)
class Stored:
    """Decoded pixel data, before anything is made of them.

    Attributes:
        levels: As they were stored, unsigned integers (H, W) or (H, W, samples), or (H, W, 2) of luma and every second
            pixel's chroma in turn (4:2:2). Bits beyond `bits` may be set.
        bits: Depth, as far as the data themselves say it; None if only the header does.
        signed: Whether levels are two's complement; None if only the header says.
        loss: What compression took away: levels may overshoot their depth then; None if nothing, or if it is unknown.
        transform: "RGB" or "YBR", as far as the data say it; else "".
    """

    levels: np.ndarray
    bits: int | None = None
    signed: bool | None = None
    loss: Loss | None = None
    transform: str = ""


def decoded(pixels: memoryview, vr: str, is_big_endian: bool, layout: Layout) -> Stored:
    """Decode the first frame of pixel data, whatever transfer syntax the object claims.

    Args:
        pixels: Value of Pixel Data.
        vr: Its VR; "" in implicit VR.
        is_big_endian: Byte order of levels that are not compressed.
        layout: What the header says of them.

    Raises:
        InvalidImageError: If the header contradicts the data, or lacks what they do not say.
        TruncatedImageError: If they end early or are damaged.
        TooManyPixelsError: If they have too many pixels; checked before they are decoded.
    """
    frame = pixels
    if bytes(pixels[:4]) == ITEM:
        frame = _first_frame(pixels, layout)
    elif _native_bytes(layout) == _even(len(pixels)):
        return _native(pixels, vr, is_big_endian, layout)
    codestream = codestream_of(frame)
    if codestream is not None:
        return _from_codestream(codestream, layout)
    if _is_run_length(frame):
        return _from_runs(frame, layout)
    return _native(frame, vr, is_big_endian, layout)


def _first_frame(pixels: memoryview, layout: Layout) -> memoryview:
    """Join the fragments of the first frame (PS3.5 A.4), without the offset table, which is often wrong."""
    fragments: list[memoryview] = []
    position = 0
    while position + 8 <= len(pixels) and bytes(pixels[position : position + 4]) == ITEM:
        if len(fragments) == MAX_FRAGMENTS:
            raise InvalidImageError(f"The pixel data has more than {MAX_FRAGMENTS:,} fragments. Export the film again.")
        (length,) = struct.unpack_from("<L", pixels, position + 4)
        fragments.append(pixels[position + 8 : position + 8 + length])
        position += 8 + length
    if fragments and not _starts_frame(fragments[0]):
        del fragments[0]  # the basic offset table
    fragments = [fragment for fragment in fragments if len(fragment)]
    if not fragments:
        raise TruncatedImageError("The pixel data holds no frame; export the film again.")
    if layout.frames > 1 and len(fragments) > 1:
        ends = (at for at in range(1, len(fragments)) if _starts_frame(fragments[at]))
        fragments = fragments[: next(ends, 1)]
    return fragments[0] if len(fragments) == 1 else memoryview(b"".join(fragments))


def _starts_frame(fragment: memoryview) -> bool:
    return bytes(fragment[:12]).startswith((jpeg_segments.MAGIC, J2K_MAGIC, JP2_MAGIC)) or _is_run_length(fragment)


def _is_run_length(frame: memoryview) -> bool:
    """Whether a frame begins with the header of run-length encoding (PS3.5 G.5)."""
    if len(frame) < 64:
        return False
    count, *offsets = struct.unpack_from("<16L", frame)
    used = offsets[:count]
    return 1 <= count <= 15 and used[0] == 64 and used == sorted(set(used)) and used[-1] < len(frame)


def _from_codestream(codestream: Codestream, layout: Layout) -> Stored:
    shape = codestream.rows, codestream.columns
    refuse_large(codestream.columns, codestream.rows)
    announced = layout.rows or codestream.rows, layout.columns or codestream.columns
    if shape != announced:
        raise TruncatedImageError(
            f"The pixel data ends early or is damaged: it has {shape[1]} × {shape[0]} pixels, "
            f"the header says {announced[1]} × {announced[0]}. Export the film again."
        )
    if codestream.components not in (1, 3):
        raise InvalidImageError(f"The film has {codestream.components} samples a pixel; 1 or 3 can be read.")
    if not 2 <= codestream.precision <= 16:
        raise InvalidImageError(f"The film has {codestream.precision} bits a pixel; 8 to 16 can be read.")
    if codestream.kind == "JPEG-LS":
        levels = imagecodecs.jpegls_decode(codestream.data)
    elif codestream.kind == "JPEG 2000":
        levels = imagecodecs.jpeg2k_decode(codestream.data)
    else:
        refuse_early_end(codestream.data)
        as_stored = "YCBCR" if codestream.components == 3 else None  # else libjpeg would convert colours on a guess
        levels = imagecodecs.jpeg8_decode(codestream.data, colorspace=as_stored, outcolorspace=as_stored)
    if levels.shape[:2] != shape:
        raise TruncatedImageError("The pixel data ends early or is damaged; export the film again.")
    if levels.dtype.kind == "i":
        levels = levels.view(f"u{levels.itemsize}")
    return Stored(levels, codestream.precision, codestream.signed, codestream.loss, codestream.transform)


def _from_runs(frame: memoryview, layout: Layout) -> Stored:
    """Undo run-length encoding, a plane of bytes a segment, most significant first (PS3.5 G.2)."""
    rows, columns = _size(layout)
    count, *offsets = struct.unpack_from("<16L", frame)
    samples = 3 if count % 3 == 0 else 1
    width = count // samples
    if width not in (1, 2, 4) or layout.samples not in (None, 1, 3):
        said = "" if layout.samples is None else f" and {layout.samples} samples a pixel"
        raise InvalidImageError(f"The film has {count} planes of bytes{said}, which make no grey or colours.")
    bounds = [*offsets[:count], len(frame)]
    levels = np.empty((rows, columns, samples), np.uint8 if width == 1 else np.uint16)
    for plane in range(count):
        sample, significance = plane // width, width - 1 - plane % width
        if significance > 1:
            continue  # 16 bits at most are read
        values = _run_length_plane(frame[bounds[plane] : bounds[plane + 1]], rows * columns).reshape(rows, columns)
        levels.view(np.uint8).reshape(rows, columns, samples, levels.itemsize)[..., sample, significance] = values
    return Stored(levels if samples > 1 else levels[..., 0])


def _run_length_plane(segment: memoryview, size: int) -> np.ndarray:
    try:
        return _unpacked(segment, size)
    except RuntimeError:  # the last run lacks bytes: it is padding if the plane is the same whatever follows
        plane, other = (_unpacked(bytes(segment) + end, size) for end in (PAUSE * 130, b"\0" + PAUSE * 130))
        if not np.array_equal(plane, other):
            raise
        return plane


def _unpacked(segment: memoryview | bytes, size: int) -> np.ndarray:
    room = bytearray(size + MAX_SURPLUS)
    if len(imagecodecs.packbits_decode(bytes(segment), out=room)) < size:
        raise TruncatedImageError("The pixel data ends early or is damaged; export the film again.")
    return np.frombuffer(room, np.uint8, size)


def _native(frame: memoryview, vr: str, is_big_endian: bool, layout: Layout) -> Stored:
    """View uncompressed levels (PS3.5 8.1.1), in the number of samples that their length allows."""
    rows, columns = _size(layout)
    samples = layout.samples or (3 if layout.photometric.startswith(("RGB", "YBR")) else 1)
    width = _bytes_allocated(layout, len(frame), rows * columns * samples)
    needed = rows * columns * width
    if layout.photometric.endswith("_422") and len(frame) < needed * samples:
        samples = 2  # two pixels share their chroma (PS3.3 C.7.6.3.1.2)
    is_coloured = layout.photometric.startswith(("RGB", "YBR"))
    if samples == (1 if is_coloured else 3) and _even(len(frame)) == _even(needed * (4 - samples)):
        samples = 4 - samples  # the photometric interpretation is right, and Samples per Pixel wrong
    if samples == 1 and _even(len(frame)) == _even(3 * needed) and _are_greys(frame, width):
        samples = 3
    if len(frame) < needed * samples:
        raise TruncatedImageError(
            f"The pixel data ends early or is damaged: it has {len(frame):,} of {needed * samples:,} bytes. "
            "Export the film again."
        )
    if is_big_endian and width == 1 and vr == "OW":
        frame = memoryview(np.frombuffer(frame, "<u2", len(frame) // 2).byteswap().tobytes())
    order = ">" if is_big_endian else "<"
    levels = np.frombuffer(frame, f"{order}u{width}", rows * columns * samples)
    if layout.planar and samples == 3:
        return Stored(np.moveaxis(levels.reshape(3, rows, columns), 0, -1))
    return Stored(levels.reshape((rows, columns, samples) if samples > 1 else (rows, columns)))


def _are_greys(frame: memoryview, width: int) -> bool:
    """Whether uncompressed levels are alike in threes: they are greys written as colours."""
    levels = np.frombuffer(frame, f"u{width}", len(frame) // (3 * width) * 3)
    return bool((levels[::3] == levels[1::3]).all() and (levels[::3] == levels[2::3]).all())


def _native_bytes(layout: Layout) -> int | None:
    """How long the levels of one frame are if they are not compressed; None where the header does not say."""
    if not (layout.rows and layout.columns and layout.bits_allocated in (8, 16, 32)):
        return None
    return _even(layout.rows * layout.columns * layout.bits_allocated // 8 * (layout.samples or 1) * layout.frames)


def _even(length: int) -> int:
    return length + length % 2


def _size(layout: Layout) -> tuple[int, int]:
    if not layout.rows or not layout.columns:
        name = "Columns (0028,0011)" if layout.rows else "Rows (0028,0010)"
        raise InvalidImageError(f"The header lacks {name}; export the film again.")
    return layout.rows, layout.columns


def _bytes_allocated(layout: Layout, length: int, count: int) -> int:
    """Bytes of an uncompressed level.

    Where the header's Bits Allocated does not go with the length of the data or with Bits Stored, the room
    that goes with both is right.
    """
    said, stored = layout.bits_allocated, layout.bits_stored or 0
    if said is None:
        raise InvalidImageError("The header lacks Bits Allocated (0028,0100); export the film again.")
    is_possible = said in (8, 16, 32)
    if not is_possible or stored > said or length < count * said // 8:
        fitting = (width for width in (1, 2, 4) if 8 * width >= stored and _even(count * width) == _even(length))
        width = next(fitting, None)
        if width is not None:
            return width
    if not is_possible:
        raise InvalidImageError(f"Bits Allocated is {said}; 8, 16 or 32 can be read.")
    return said // 8
