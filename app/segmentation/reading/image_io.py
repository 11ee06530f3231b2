"""Bytes of a file to a `Radiograph`: read the film right, or say why not."""

from app.segmentation.errors import EmptyFileError, ImageTooSmallError, UnsupportedFormatError
from app.segmentation.reading.body_part import shows_chest
from app.segmentation.reading.dicom_io import looks_like_dicom, read_dicom
from app.segmentation.reading.film_file import demand_size
from app.segmentation.reading.radiograph import MIN_SIDE, Radiograph, with_bright_bone
from app.segmentation.reading.raster import looks_like_raster, read_raster


def read_radiograph(data: bytes) -> Radiograph:
    """Decode a film.

    Args:
        data: The whole file: DICOM, PNG, JPEG or WebP.

    Returns:
        The film, bone bright; inverted where it certainly was not.

    Raises:
        UnsupportedFormatError: If it is not one of these formats.
        InvalidImageError: If it is, but cannot be used; the subclass says why.
        ImageTooLargeError: If it has too many bytes or pixels; checked before decoding.
    """
    if not data:
        raise EmptyFileError("The file has no bytes; was it exported completely?")
    demand_size(len(data))
    radiograph = _decoded(data)
    height, width = radiograph.image.shape
    if min(height, width) < MIN_SIDE:
        small = ImageTooSmallError(
            f"The film has {width} × {height} pixels; a pleural line needs at least {MIN_SIDE} a side. "
            "Export it at its full resolution."
        )
        small.picture = radiograph.image
        raise small
    if shows_chest(radiograph.body_part) is False:  # dark bone of a chest was never looked for in a hip
        return radiograph
    return with_bright_bone(radiograph)


def _decoded(data: bytes) -> Radiograph:
    if looks_like_dicom(data):
        return read_dicom(data)
    if looks_like_raster(data):
        return read_raster(data)
    raise UnsupportedFormatError("This is not a DICOM, PNG, JPEG or WebP file. Export the film as one of these.")
