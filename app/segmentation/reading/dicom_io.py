"""A DICOM object to a `Radiograph`, shown as its header asks."""

import struct
import zlib

import cv2
import numpy as np
from pydicom.config import IGNORE
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.uid import UID

from app.segmentation.errors import (
    InvalidImageError,
    MultiFrameError,
    NoPixelDataError,
    PleuraError,
    TruncatedImageError,
    UnsupportedFormatError,
    WrongModalityError,
)
from app.segmentation.reading import modality
from app.segmentation.reading.dicom_codecs import Layout, Stored, decoded
from app.segmentation.reading.dicom_colours import luma_levels, palette_greys
from app.segmentation.reading.dicom_depth import OVERLAYS, Levels, levels_of, overlay_bits
from app.segmentation.reading.dicom_elements import looks_like_dicom, read_elements
from app.segmentation.reading.dicom_grey_levels import grey_levels
from app.segmentation.reading.dicom_header import DESCRIPTION, describe, text_of
from app.segmentation.reading.dicom_margins import hidden_pixels, padding_codes
from app.segmentation.reading.dicom_values import LONGEST_SHOWN, code, integer, text
from app.segmentation.reading.dicom_walk import DicomObject
from app.segmentation.reading.pixel_shape import with_square_pixels
from app.segmentation.reading.radiograph import Radiograph, refuse_large

__all__ = ["DAMAGE", "looks_like_dicom", "read_dicom"]

READABLE_SYNTAXES = (
    *("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.98", "1.2.840.10008.1.2.1.99"),
    *("1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5"),
    *(f"1.2.840.10008.1.2.4.{number}" for number in (*range(50, 67), 70, 80, 81, 90, 91, 201, 202, 203)),
)
"""Uncompressed, deflated, run-length encoded, JPEG of every process, JPEG-LS and JPEG 2000 (PS3.5 A). What the data are
counts, whatever they are called; data that cannot be read under another name are refused by that name."""

PHOTOMETRIC = (
    *("MONOCHROME1", "MONOCHROME2", "PALETTE COLOR", "RGB"),
    *(f"YBR_{kind}" for kind in ("FULL", "FULL_422", "PARTIAL_422", "PARTIAL_420", "RCT", "ICT")),
)
GREY, COLOURS = ("MONOCHROME1", "MONOCHROME2"), ("RGB", "YBR")

DISPLAY = (
    *("SOPClassUID", "NumberOfFrames", "Rows", "Columns", "SamplesPerPixel", "PixelAspectRatio"),
    *("PhotometricInterpretation", "PlanarConfiguration", "BitsAllocated", "BitsStored", "HighBit"),
    *("PixelRepresentation", "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "VOILUTSequence"),
    *("VOILUTFunction", "WindowCenter", "WindowWidth", "PresentationLUTShape"),
    *("PixelPaddingValue", "PixelPaddingRangeLimit", "ShutterShape", "VerticesOfThePolygonalShutter"),
    *(f"Shutter{edge}Edge" for edge in ("UpperHorizontal", "LowerHorizontal", "LeftVertical", "RightVertical")),
    *("CenterOfCircularShutter", "RadiusOfCircularShutter"),
    *(
        f"{colour}PaletteColorLookupTable{part}"
        for colour in ("Red", "Green", "Blue")
        for part in ("Descriptor", "Data")
    ),
    *(f"Segmented{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue")),
    *OVERLAYS,
)
GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
ELEMENTS = (*DESCRIPTION, *DISPLAY, *GROUPS)
"""All that is read of a header: a hundred thousand other elements cost no memory."""

DAMAGE = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, OSError, RuntimeError, TypeError, ValueError),
    *(BytesLengthException, InvalidDicomError, cv2.error, struct.error, zlib.error),
)
"""What pydicom, numpy, OpenCV and the codecs raise on damaged files, found by mutating sound ones."""


def read_dicom(data: bytes) -> Radiograph:
    """Decode a film from a DICOM object (PS3.10).

    Args:
        data: The whole file, of which `looks_like_dicom` holds.

    Raises:
        UnsupportedFormatError: If it is not DICOM after all, or of a transfer syntax we do not read.
        InvalidImageError: If it cannot be used; the subclass says why.
        ImageTooLargeError: If it inflates to too many bytes, or has too many pixels; checked before decoding.
    """
    try:
        found = read_elements(data, ELEMENTS)
        header = _with_functional_groups(found.header)
        pixels = _pixels_of(found, header)
        unfit = _unfit(header)
    except DAMAGE as error:
        raise TruncatedImageError("The DICOM header ends early or is damaged; export the film again.") from error
    try:
        radiograph = _decoded(pixels, found, header)
    except PleuraError as error:
        if unfit is None:
            raise
        raise unfit from error  # what it is matters more than that it cannot be shown either
    if unfit is not None:
        unfit.picture = radiograph.image
        raise unfit
    return radiograph


def _with_functional_groups(header: Dataset) -> Dataset:
    """Bring what an object of a multi-frame class says of its first frame to the top, where nothing else says it."""
    for keyword in reversed(GROUPS):
        for group in (header.get(keyword) or ())[:1]:
            for macro in group.values():
                for item in macro.value[:1] if macro.VR == "SQ" else ():
                    header.update({tag: element for tag, element in item.items() if tag not in header})
    return header


def _pixels_of(found: DicomObject, header: Dataset) -> memoryview:
    """Return the pixel data, and refuse what holds no picture."""
    if found.pixels is not None and len(found.pixels):
        return found.pixels
    kind = UID(text(header, "SOPClassUID") or found.media_class, validation_mode=IGNORE)
    if not kind and not found.is_dicom_file:
        raise UnsupportedFormatError("This is not a DICOM, PNG, JPEG or WebP file. Export the film as one of these.")
    may_be_image = not kind or kind.is_private or "Image" in kind.name
    if found.pixels is None and may_be_image and (found.is_cut or not found.elements):
        raise EOFError("no pixel data, and no end")
    raise NoPixelDataError(f"This {kind.name or 'object of unknown kind'} holds no image; send the film itself.")


def _unfit(header: Dataset) -> InvalidImageError | None:
    """Say by the header alone why an object is not one film."""
    named, sop_class = modality.named_by(text_of(header, "Modality")), text_of(header, "SOPClassUID")
    if modality.is_other(named, sop_class):
        if named in modality.OPEN:
            kind = UID(sop_class, validation_mode=IGNORE).name
            return WrongModalityError(f"This is of the class {kind}; send a radiograph (CR, DX or RG).")
        return WrongModalityError(f"The modality is {named[:LONGEST_SHOWN]}; send a radiograph (CR, DX or RG).")
    frames = _frames(header)
    if frames > 1:
        return MultiFrameError(f"The file holds {frames} frames; send a single film.")
    return None


def _frames(header: Dataset) -> int:
    return max(integer(header, "NumberOfFrames") or 1, 1)


def _decoded(pixels: memoryview, found: DicomObject, header: Dataset) -> Radiograph:
    layout = _layout(header)
    refuse_large(layout.columns or 0, layout.rows or 0)
    try:
        stored = decoded(pixels, found.pixel_vr, found.is_big_endian, layout)
        levels = levels_of(stored, layout, overlay_bits(header))
    except (*DAMAGE, TruncatedImageError) as error:
        if found.syntax and found.syntax not in READABLE_SYNTAXES:
            raise UnsupportedFormatError(
                f"The transfer syntax {found.syntax.name[:LONGEST_SHOWN]} cannot be read; export the film uncompressed "
                "or as JPEG Lossless."
            ) from error
        if isinstance(error, TruncatedImageError):
            raise
        raise TruncatedImageError("The pixel data ends early or is damaged; export the film again.") from error
    try:
        image, is_colour = _shown(stored, levels, layout, header)
        description = describe(header)
        description["header"] = description["header"].after(stored.loss)
    except DAMAGE as error:
        raise InvalidImageError(
            "The DICOM header says nothing usable of how to show the film; export it again."
        ) from error
    radiograph = Radiograph(
        image=image, source_format="DICOM", bits_stored=levels.bits, is_colour=is_colour, **description
    )
    return with_square_pixels(radiograph, header)


def _photometric(header: Dataset) -> str:
    """The photometric interpretation, also where it is spelled "Monochrome 2" or "YBR FULL"; "" if missing."""
    said = code(header, "PhotometricInterpretation")
    spelled = "".join(filter(str.isalnum, said))
    return next((name for name in PHOTOMETRIC if name.replace("_", "").replace(" ", "") == spelled), said)


def _layout(header: Dataset) -> Layout:
    return Layout(
        **{
            name: integer(header, keyword)
            for name, keyword in (
                *(("rows", "Rows"), ("columns", "Columns"), ("samples", "SamplesPerPixel")),
                *(("bits_allocated", "BitsAllocated"), ("bits_stored", "BitsStored"), ("high_bit", "HighBit")),
            )
        },
        planar=integer(header, "PlanarConfiguration") == 1,
        photometric=_photometric(header),
        signed=integer(header, "PixelRepresentation") == 1,
        frames=_frames(header),
    )


def _shown(stored: Stored, levels: Levels, layout: Layout, header: Dataset) -> tuple[np.ndarray, bool]:
    """Bring levels to the screen's greys, float32 (H, W) in [0, 1], and say whether they were colours."""
    photometric = layout.photometric
    if not photometric:
        raise InvalidImageError("The header lacks Photometric Interpretation (0028,0004); export the film again.")
    if photometric not in (*GREY, "PALETTE COLOR") and not photometric.startswith(COLOURS):
        raise InvalidImageError(
            f"The photometric interpretation {photometric} cannot be read; export the film as grey."
        )
    is_colour = False
    if levels.codes.ndim == 3:
        samples = levels.codes.shape[-1]
        is_shared = samples == 2 and photometric.endswith("_422")
        if photometric == "PALETTE COLOR" or not (samples == 3 or is_shared):
            raise InvalidImageError(f"{photometric} with {samples} samples a pixel cannot be read; export it as grey.")
        colours = stored.transform or photometric
        if colours in GREY:  # as libjpeg guesses of what nobody says
            colours = "YBR" if stored.loss else "RGB"
        words, (levels, is_colour) = None, luma_levels(levels, colours)
    else:
        words = stored.levels
        if photometric == "PALETTE COLOR":
            return palette_greys(levels, header)
    if photometric not in GREY and words is None:
        top = np.float32(2**levels.bits - 1)
        return levels.codes / top, is_colour
    padding = padding_codes(levels, header)
    hidden = hidden_pixels(words, levels, header)
    return grey_levels(levels, padding, hidden, photometric == "MONOCHROME1", header), is_colour
