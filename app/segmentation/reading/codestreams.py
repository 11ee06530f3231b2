"""What a compressed frame says of itself, found without decoding it.

Where a codestream and the DICOM header disagree, the codestream counts (PS3.5 8.2).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from app.segmentation.errors import InvalidImageError, TruncatedImageError
from app.segmentation.reading import jpeg_2000, jpeg_segments
from app.segmentation.reading.file_header import Loss
from app.segmentation.reading.jpeg_segments import FRAMES, JPEG_LS_FRAME, LOSSLESS_FRAMES, Segment
from app.segmentation.reading.radiograph import refuse_large

J2K_MAGIC = b"\xff\x4f\xff\x51"
JP2_MAGIC = b"\x00\x00\x00\x0cjP  \r\n\x87\n"
HIGH_THROUGHPUT = 0x40
"""Of a JPEG 2000 code-block's style (ITU-T T.814 A.4)."""
MAX_SCANS = 100
MAX_SCANNED_PIXELS = 600_000_000
"""Pixels times scans: a progressive film of 50 megapixels may have twelve, and has ten."""

UNREADABLE_FRAMES = {0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF}
"""Hierarchical JPEG, which nobody writes and no library reads."""


@dataclass(frozen=True)
class Codestream:
    """A frame and what it announces.

    Attributes:
        data: The codestream, from its first marker; of a JPEG or JPEG-LS to its last.
        kind: "JPEG", "JPEG-LS" or "JPEG 2000".
        columns, rows, components: Its size.
        precision: Bits of a level.
        signed: Whether levels are signed; None where the format does not say.
        method: DICOM's term of the compression, if it lost something; else "".
        transform: "RGB" if three components are these colours once decoded, "YBR" if they are luma and chroma; "" if
            it does not say.
        is_jfif: Whether it is a JFIF file's, whose three components are luma and chroma (ITU-T T.871 7).
    """

    data: bytes
    kind: str
    columns: int
    rows: int
    components: int
    precision: int
    signed: bool | None = None
    method: str = ""
    transform: str = ""
    is_jfif: bool = False

    @property
    def loss(self) -> Loss | None:
        """What its compression took away; None if nothing."""
        size = self.columns * self.rows * self.components * (1 if self.precision <= 8 else 2)
        return Loss(self.method, size / len(self.data)) if self.method else None


def codestream_of(frame: bytes | memoryview) -> Codestream | None:
    """Read what a frame announces; None if it is no JPEG, JPEG-LS or JPEG 2000.

    Raises:
        TruncatedImageError: If it ends early.
        InvalidImageError: If it would take unreasonably long to decode.
    """
    head = bytes(frame[:12])
    try:
        if head == JP2_MAGIC:
            return _jpeg_2000(jpeg_2000.boxed(bytes(frame)))
        if head.startswith(J2K_MAGIC):
            return _jpeg_2000(bytes(frame))
        if head.startswith(jpeg_segments.MAGIC):
            return _jpeg(bytes(frame))
    except (struct.error, IndexError) as error:
        raise TruncatedImageError("The pixel data ends early or is damaged; export the film again.") from error
    return None


def _jpeg(frame: bytes) -> Codestream:
    """Read marker segments up to the end of the image (ITU-T T.81 B.2; T.87 C.2 for JPEG-LS), and end there."""
    transform, is_jfif, near, found = "", False, 0, None
    segments = jpeg_segments.segments(frame)
    for segment in segments:
        marker, body = segment.marker, segment.body
        if marker in FRAMES and found is None:
            found = marker, body
        elif marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
            transform = "YBR" if body[11] else "RGB"
        elif marker == 0xE0 and body.startswith(b"JFIF"):
            is_jfif = True
        elif marker == jpeg_segments.START_OF_SCAN:
            near = body[1 + 2 * body[0]]
            break
    if found is None:
        raise IndexError("a scan before its frame")
    marker, body = found
    precision, rows, columns, components = struct.unpack_from(">BHHB", body)
    if marker in UNREADABLE_FRAMES:
        raise InvalidImageError("Hierarchical JPEG cannot be read; export the film uncompressed.")
    is_jpeg_ls = marker == JPEG_LS_FRAME
    is_dct = not is_jpeg_ls and marker not in LOSSLESS_FRAMES
    method = "ISO_10918_1" if is_dct else "ISO_14495_1" if is_jpeg_ls and near else ""
    if components == 3 and not is_jpeg_ls:
        transform = transform or _unmarked_colours(body, is_jfif, is_dct)
    refuse_large(columns, rows)
    return Codestream(
        frame[: _end_of_image(segments, columns * rows)], "JPEG-LS" if is_jpeg_ls else "JPEG", columns, rows,
        components, precision, method=method, transform=transform, is_jfif=is_jfif,
    )  # fmt: skip


def _end_of_image(rest: Iterator[Segment], pixels: int) -> int:
    """Follow the segments behind the first scan to where the image ends: often a video or another picture follows.

    Raises:
        InvalidImageError: If it has more scans than anybody's, each of which costs a pass over all pixels.
    """
    scans, end = 1, 0
    for segment in rest:
        scans += segment.marker == jpeg_segments.START_OF_SCAN
        end = segment.end
    most = min(MAX_SCANS, MAX_SCANNED_PIXELS // max(pixels, 1))
    if scans > most:
        raise InvalidImageError(f"The JPEG has {scans} scans; at most {most} are read of its size. Save it anew.")
    return end


def _unmarked_colours(frame_header: bytes, is_jfif: bool, is_dct: bool) -> str:
    """Colours by JFIF, by the components' names, or by chroma of less resolution; else "": the DICOM header decides."""
    names, sampling = frame_header[6:15:3], frame_header[7:15:3]
    if is_jfif and is_dct:
        return "YBR"
    if names == b"RGB":
        return "RGB"
    return "YBR" if len(set(sampling)) > 1 else ""


def _jpeg_2000(frame: bytes) -> Codestream:
    """Read SIZ and COD (ITU-T T.800 A.5.1, A.6.1)."""
    if bytes(frame[:4]) != J2K_MAGIC:
        raise IndexError("no codestream")
    right, bottom, left, top = struct.unpack_from(">4L", frame, 8)
    (components,) = struct.unpack_from(">H", frame, 40)
    sizes = {bytes(frame[at : at + 3]) for at in range(42, 42 + 3 * min(components, 4), 3)}
    if len(sizes) != 1 or any(size[1:] != b"\1\1" for size in sizes):
        raise InvalidImageError("The JPEG 2000 components differ in size or depth; export the film uncompressed.")
    depth = sizes.pop()[0]
    coding, position = jpeg_2000.coding_style(frame)
    has_transform, is_lossy = coding[4:5] == b"\1", coding[9:10] == b"\0"
    method = ("ISO_15444_15" if coding[8] & HIGH_THROUGHPUT else "ISO_15444_1") if is_lossy else ""
    frame = jpeg_2000.with_end(frame, position, coding)
    return Codestream(
        frame, "JPEG 2000", right - left, bottom - top, components, (depth & 0x7F) + 1,
        signed=bool(depth & 0x80), method=method, transform="RGB" if has_transform and components == 3 else "",
    )  # fmt: skip
