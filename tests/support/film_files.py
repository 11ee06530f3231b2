"""A synthetic film as the files that hospitals send: PNG, and DICOM in every transfer syntax."""

import hashlib
import io
import warnings

import imagecodecs
import numpy as np
from PIL import Image
from pydicom.config import IGNORE
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
    generate_uid,
)

from training.releasing.phantom.body import FIELD_MM


def to_png(image: np.ndarray, bits: int = 8) -> bytes:
    """Encode a film, float32 (H, W) in [0, 1], as a greyscale PNG of 8 bits, or of 16 that use no more than `bits`."""
    levels = np.round(image * (2**bits - 1)).astype(np.uint8 if bits <= 8 else np.uint16)
    buffer = io.BytesIO()
    Image.fromarray(levels).save(buffer, "PNG")
    return buffer.getvalue()


def to_dicom(
    image: np.ndarray,
    *,
    bits_stored: int = 12,
    photometric: str = "MONOCHROME2",
    signed: bool = False,
    transfer_syntax: UID = ExplicitVRLittleEndian,
    **attributes: object,
) -> bytes:
    """Encode a film as a CR object; however it is stored, it shows the same film.

    Args:
        image: float32 (H, W) in [0, 1], bone bright.
        bits_stored: 8 to 16.
        photometric: "MONOCHROME2", or "MONOCHROME1" with inverted grey levels.
        signed: Whether stored values are two's complement, brought back by the rescale intercept.
        transfer_syntax: Lossy ones take unsigned levels only: JPEG Baseline of 8 bits, JPEG Extended of 8 or 12.
        attributes: DICOM keywords and values that replace the usual ones; None leaves one out.
    """
    top = 2**bits_stored - 1
    levels = np.round(image * top).astype(np.int32)
    levels = top - levels if photometric == "MONOCHROME1" else levels
    level_type = np.dtype(np.uint8 if bits_stored <= 8 else np.uint16)
    offset = 2 ** (bits_stored - 1) if signed else 0

    dataset = _described(image)
    dataset.PhotometricInterpretation, dataset.SamplesPerPixel = photometric, 1
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8 * level_type.itemsize, bits_stored, bits_stored - 1
    dataset.PixelRepresentation = int(signed)
    if signed:
        dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = offset, 1, "US"
    _store(dataset, (levels - offset).astype(level_type), transfer_syntax)
    buffer = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):  # departments send what pydicom would warn of
        for keyword, value in attributes.items():
            if value is None:
                delattr(dataset, keyword)
            elif " or " in dictionary_VR(keyword):
                setattr(dataset, keyword, value)
            else:
                dataset.add(DataElement(keyword, dictionary_VR(keyword), value, validation_mode=IGNORE))
        dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _described(image: np.ndarray) -> Dataset:
    """Everything a CR object says of a film but its grey levels."""
    dataset = Dataset()
    dataset.SOPClassUID = ComputedRadiographyImageStorage
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(dataset, keyword, generate_uid(entropy_srcs=[keyword, hashlib.sha256(image.tobytes()).hexdigest()]))
    dataset.Modality = "CR"
    dataset.PatientName, dataset.PatientID = "Phantom^Synthetic", "PHANTOM"
    dataset.BodyPartExamined, dataset.ViewPosition = "CHEST", "PA"
    dataset.PatientOrientation = ["L", "F"]
    dataset.Rows, dataset.Columns = image.shape
    dataset.ImagerPixelSpacing = [FIELD_MM / len(image)] * 2
    return dataset


def _store(dataset: Dataset, levels: np.ndarray, transfer_syntax: UID) -> None:
    """Put grey levels, two's complement where signed, into a dataset."""
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = transfer_syntax
    if transfer_syntax.is_compressed and transfer_syntax != RLELossless:
        dataset.PixelData = encapsulate([_compressed(levels, transfer_syntax, dataset.BitsStored)])
        return
    byte_order = "<" if transfer_syntax.is_little_endian else ">"
    dataset.PixelData = levels.astype(levels.dtype.newbyteorder(byte_order)).tobytes()
    if transfer_syntax == RLELossless:
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.compress(RLELossless)


def _compressed(levels: np.ndarray, transfer_syntax: UID, bits_stored: int) -> bytes:
    if transfer_syntax in (JPEGLSLossless, JPEGLSNearLossless):
        return imagecodecs.jpegls_encode(levels, level=0 if transfer_syntax == JPEGLSLossless else 1)
    levels = levels & (2**bits_stored - 1)
    if transfer_syntax in (JPEGBaseline8Bit, JPEGExtended12Bit):
        return imagecodecs.jpeg8_encode(levels, level=98, bitspersample=bits_stored)
    if transfer_syntax in (JPEGLossless, JPEGLosslessSV1):
        predictor = 1 if transfer_syntax == JPEGLosslessSV1 else 6
        return imagecodecs.jpeg8_encode(levels, lossless=True, predictor=predictor, bitspersample=bits_stored)
    lossless = transfer_syntax == JPEG2000Lossless
    return imagecodecs.jpeg2k_encode(
        levels, level=0 if lossless else 60, codecformat="j2k", reversible=lossless, bitspersample=bits_stored
    )
