"""A JPEG or JPEG-LS file without all that is no picture: comments, thumbnails and profiles."""

from app.segmentation.reading.jpeg_segments import START_OF_SCAN, segments

COMMENT, EXIF_SEGMENT = 0xFE, 0xE1
COLOUR_SEGMENTS = {0xE0: b"JFIF", 0xEE: b"Adobe"}
"""Application segments that say which colours the components are."""
MAX_EXIF_SEGMENTS = 2
"""One in binary and one in XMP: both may say how the camera was held."""


def plain_jpeg(data: bytes) -> bytes:
    """Leave out every segment that does not change what is shown (ITU-T T.81 B.2).

    Args:
        data: A file that begins with `jpeg_segments.MAGIC`.

    Raises:
        InvalidImageError: If it has too many.
        LookupError: If it is damaged before its first scan.
        struct.error: If it ends there.
    """
    kept, exif_segments = [data[:2]], 0
    for segment in segments(data):
        marker = segment.marker
        if marker == START_OF_SCAN:
            kept.append(data[segment.start :])
            break
        is_exif = marker == EXIF_SEGMENT and exif_segments < MAX_EXIF_SEGMENTS
        exif_segments += is_exif
        is_application = 0xE0 <= marker <= 0xEF or marker == COMMENT
        says_colours = marker in COLOUR_SEGMENTS and segment.body.startswith(COLOUR_SEGMENTS[marker])
        if not is_application or is_exif or says_colours:
            kept.append(data[segment.start : segment.end])
    return b"".join(kept)


def exif_of(plain: bytes) -> bytes:
    """Return the EXIF data of a file from `plain_jpeg`; nothing if there are none."""
    start = plain.find(b"Exif\0\0", 0, 2**17)
    return plain[start : start + 2**16] if start > 0 else b""
