"""A DICOM object to a `Radiograph`, shown as its header asks."""

import io
import struct
import zlib

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_dataset
from pydicom.pixels import pixel_array
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from app.segmentation.errors import (
    FileTooLargeError,
    InvalidImageError,
    MultiFrameError,
    NoPixelDataError,
    PleuraError,
    TruncatedImageError,
    UnsupportedFormatError,
    WrongModalityError,
)
from app.segmentation.reading.dicom_codecs import COMPRESSED, PLUGIN
from app.segmentation.reading.dicom_grey_levels import grey_levels, grey_of_colours
from app.segmentation.reading.dicom_header import DESCRIPTION, describe, text_of
from app.segmentation.reading.radiograph import Radiograph, refuse_large
from app.segmentation.reading.vocabulary import MODALITIES, modality_of

UNCOMPRESSED = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)
MAX_INFLATED_BYTES = 128 * 2**20
LONGEST_FIRST_VALUE = 64
"""Bytes of a UID, the longest that an object without preamble begins with."""

ELEMENTS = (
    *DESCRIPTION,
    *("SOPClassUID", "NumberOfFrames", "Rows", "Columns", "SamplesPerPixel"),
    *("PhotometricInterpretation", "PlanarConfiguration", "BitsAllocated", "BitsStored", "HighBit"),
    *("PixelRepresentation", "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "VOILUTSequence"),
    *("VOILUTFunction", "WindowCenter", "WindowWidth", "PresentationLUTShape", "PixelData"),
    *(
        f"{colour}PaletteColorLookupTable{part}"
        for colour in ("Red", "Green", "Blue")
        for part in ("Descriptor", "Data")
    ),
    *(f"Segmented{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue")),
)
"""All that is read of a header: a million other elements cost no memory."""

DAMAGE = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, OSError, RuntimeError, TypeError, ValueError),
    *(BytesLengthException, InvalidDicomError, struct.error, zlib.error),
)
"""What pydicom, numpy and the codecs raise on damaged files, found by mutating sound ones."""


def looks_like_dicom(data: bytes) -> bool:
    """Whether to read a file as DICOM: by its magic number, or by its first element where the preamble is missing."""
    if data[128:132] == b"DICM":
        return True
    group, element, length = struct.unpack("<HHL", data[:8].ljust(8, b"\xff"))
    has_value = length <= LONGEST_FIRST_VALUE or data[4:6] in (b"CS", b"OB", b"UI", b"UL")
    return group in (0x0002, 0x0008) and element < 0x0020 and has_value


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
        dataset = _parsed(data)
        unfit = _unfit(dataset)
    except DAMAGE as error:
        raise TruncatedImageError("The DICOM header ends early or is damaged; export the film again.") from error
    try:
        radiograph = _decoded(dataset)
    except PleuraError as error:
        if unfit is None:
            raise
        raise unfit from error  # what it is matters more than that it cannot be shown either
    if unfit is not None:
        unfit.picture = radiograph.image
        raise unfit
    return radiograph


def _decoded(dataset: Dataset) -> Radiograph:
    try:
        _refuse_undecodable(dataset)
    except DAMAGE as error:
        raise TruncatedImageError("The DICOM header ends early or is damaged; export the film again.") from error
    try:
        stored = pixel_array(
            dataset,
            index=0,
            allow_excess_frames=False,
            decoding_plugin=PLUGIN if dataset.file_meta.TransferSyntaxUID in COMPRESSED else "",
        )
    except DAMAGE as error:
        raise TruncatedImageError("The pixel data ends early or is damaged; export the film again.") from error
    try:
        return _shown(stored, dataset)
    except DAMAGE as error:
        raise InvalidImageError(
            "The DICOM header says nothing usable of how to show the film; export it again."
        ) from error


class _WatchedStream(io.BytesIO):
    """Remembers whether it ended in the middle of an element."""

    ran_dry = False

    def read(self, size: int = -1) -> bytes:
        data = super().read(size)
        self.ran_dry |= 0 < len(data) < size
        return data


def _parsed(data: bytes) -> Dataset:
    has_preamble = data[128:132] == b"DICM"
    if has_preamble:
        _refuse_deflation_bomb(data)
    stream = _WatchedStream(data)
    dataset = pydicom.dcmread(stream, force=not has_preamble, specific_tags=list(ELEMENTS))
    if not has_preamble and "SOPClassUID" not in dataset:
        raise UnsupportedFormatError("This is not a DICOM, PNG, JPEG or WebP file. Export the film as one of these.")
    is_cut = stream.ran_dry or stream.tell() > len(data) or "SOPClassUID" not in dataset
    if "PixelData" not in dataset and is_cut:
        raise EOFError("pydicom keeps silent of this")
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, _ = dataset.original_encoding
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    return dataset


def _refuse_deflation_bomb(data: bytes) -> None:
    """Inflate a deflated object as far as allowed: pydicom would inflate it to any size."""
    stream = io.BytesIO(data)
    stream.seek(132)
    meta = read_dataset(stream, False, True, stop_when=lambda tag, vr, length: tag.group != 2)
    if meta.get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
        return
    inflated = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data[stream.tell() :], MAX_INFLATED_BYTES + 1)
    if len(inflated) > MAX_INFLATED_BYTES:
        raise FileTooLargeError(
            f"The file inflates to more than {MAX_INFLATED_BYTES // 2**20} MiB. Send a single film, not deflated."
        )


def _unfit(dataset: Dataset) -> InvalidImageError | None:
    """Say by the header alone why an object is not one film.

    Raises:
        NoPixelDataError: If it holds no picture at all.
    """
    if not dataset.get("PixelData"):
        kind = dataset.SOPClassUID.name if "SOPClassUID" in dataset else "object of unknown kind"
        raise NoPixelDataError(f"This {kind} holds no image; send the film itself.")
    modality = modality_of(text_of(dataset, "Modality"))
    if modality and modality not in MODALITIES.values():
        return WrongModalityError(f"The modality is {modality}; send a radiograph (CR, DX or RG).")
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames > 1:
        return MultiFrameError(f"The file holds {frames} frames; send a single film.")
    return None


def _refuse_undecodable(dataset: Dataset) -> None:
    """Refuse what cannot be decoded, before any pixel is."""
    refuse_large(int(dataset.Columns), int(dataset.Rows))
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax not in UNCOMPRESSED + COMPRESSED:
        raise UnsupportedFormatError(
            f"The transfer syntax {syntax.name} cannot be read; export the film uncompressed or as JPEG Lossless."
        )
    if not 8 <= dataset.BitsStored <= 16:
        raise InvalidImageError(
            f"The film has {dataset.BitsStored} bits a pixel; 8 to 16 can be read. Export it again."
        )


def _shown(stored: np.ndarray, dataset: Dataset) -> Radiograph:
    """Bring decoded pixel data to the screen's grey levels."""
    is_colour = False
    photometric = dataset.PhotometricInterpretation
    if photometric in ("MONOCHROME1", "MONOCHROME2"):
        image = grey_levels(stored, dataset)
    elif photometric == "PALETTE COLOR" or stored.ndim == 3:
        image, is_colour = grey_of_colours(stored, dataset)
    else:
        raise InvalidImageError(
            f"The photometric interpretation {photometric} cannot be read; export the film as grey."
        )
    return Radiograph(
        image=image,
        source_format="DICOM",
        bits_stored=int(dataset.BitsStored),
        is_colour=is_colour,
        **describe(dataset),
    )
