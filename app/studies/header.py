"""The few values of a file's header that an export must carry to be filed with its film.

Only these are kept of the header, with the study, and as long as it. Of a picture that is no DICOM object it is what
compression took away.
"""

import io
import re
from datetime import date

import pydicom
from PIL import Image
from pydicom.charset import convert_encodings, decode_bytes
from pydicom.dataset import Dataset
from pydicom.uid import RE_VALID_UID

from app.segmentation.reading.dicom_io import DAMAGE, looks_like_dicom

IDENTITY = ("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex")
STUDY = (
    *("StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber"),
    *("ReferringPhysicianName", "StudyDescription"),
)
INSTANCE = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "Modality")
DISPLAY = ("PatientOrientation", "BurnedInAnnotation", "BodyPartExamined")
LOSSY = ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod")
"""What was once compressed with loss must say so ever after (PS3.3 C.7.6.1.1.5)."""

LOSSY_METHODS = {"JPEG": "ISO_10918_1", "MPO": "ISO_10918_1", "WEBP": "RFC_9649"}
"""By Pillow's name of a format; DICOM has no term of its own for WebP."""

KEPT = (*IDENTITY, *STUDY, *INSTANCE, *DISPLAY, *LOSSY)

LONGEST_UID = 64

DELIMITERS = {"^", "="}
"""Of a person's name; other texts hold none that end a character set (PS3.5 6.1.2.5.3)."""

CODES = {
    "PatientSex": r"[MFO]",
    "Modality": r"[A-Z0-9 _]{1,16}",
    "BurnedInAnnotation": r"YES|NO",
    "BodyPartExamined": r"[A-Z0-9 _]{1,16}",
    "PatientOrientation": r"[APRLHF]{1,3}\\[APRLHF]{1,3}",
    "LossyImageCompression": r"00|01",
    "LossyImageCompressionRatio": r"[\d.]{1,16}(\\[\d.]{1,16})*",
    "LossyImageCompressionMethod": r"[A-Z0-9_ ]{1,16}(\\[A-Z0-9_ ]{1,16})*",
    "StudyTime": r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?",
}
"""What the value of a code or a time must match, whole: one that does not is left out."""


def read_header(data: bytes) -> dict[str, str]:
    """Read what exports need of a file's header.

    Args:
        data: The whole file, already decoded once without error.

    Returns:
        Values by DICOM keyword, without those that are missing or malformed.
    """
    if not looks_like_dicom(data):
        return _losses(data)
    try:
        header = pydicom.dcmread(
            io.BytesIO(data), force=True, stop_before_pixels=True, specific_tags=[*KEPT, "SpecificCharacterSet"]
        )
        encodings = convert_encodings(header.get("SpecificCharacterSet") or "")
        values = {keyword: _checked(keyword, _text(header, keyword, encodings)) for keyword in KEPT}
    except DAMAGE:  # the film itself was readable: its exports do without
        return {}
    return {keyword: value for keyword, value in values.items() if value}


def _losses(picture: bytes) -> dict[str, str]:
    """Say how a picture, one that was readable, was compressed with loss; nothing if it was not."""
    source = Image.open(io.BytesIO(picture))
    method = LOSSY_METHODS.get(source.format)
    if method is None or (source.format == "WEBP" and _is_lossless_webp(picture)):
        return {}
    ratio = source.width * source.height * len(source.getbands()) / len(picture)
    return dict(zip(LOSSY, ("01", f"{ratio:.2f}", method), strict=True))


def _is_lossless_webp(picture: bytes) -> bool:
    """Find the first chunk with a picture in it, behind those that only describe it (RFC 9649, 2.3)."""
    start = 12
    while start < len(picture) and picture[start : start + 4] not in (b"VP8 ", b"VP8L"):
        size = int.from_bytes(picture[start + 4 : start + 8], "little")
        start += 8 + size + size % 2
    return picture[start : start + 4] == b"VP8L"


def _text(header: Dataset, keyword: str, encodings: list[str]) -> str:
    """Decode a value from its bytes: pydicom would check it, and put one it finds odd into the log."""
    element = header.get_item(keyword)
    value = b"" if element is None or element.value is None else element.value
    text = decode_bytes(value, encodings, DELIMITERS) if isinstance(value, bytes) else str(value)
    return "".join(character for character in text if character.isprintable()).strip()


def _checked(keyword: str, text: str) -> str:
    """Return a value, or "" if it is not what its attribute may hold."""
    if keyword.endswith("UID"):
        return text if len(text) <= LONGEST_UID and re.fullmatch(RE_VALID_UID, text) else ""
    if keyword.endswith("Date"):
        return _date(text)
    if keyword in CODES:
        return text if re.fullmatch(CODES[keyword], text) else ""
    return text.replace("\\", " ")  # it would make two values of one


def _date(text: str) -> str:
    digits = text.replace(".", "")  # ACR-NEMA wrote 1997.03.01
    try:
        return date.fromisoformat(digits).strftime("%Y%m%d")
    except ValueError:
        return ""
