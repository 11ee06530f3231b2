"""Steps from element to element of a DICOM data set (PS3.5 7): tolerant of what departments send, and bounded."""

import struct
from dataclasses import dataclass, field

from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID

from app.segmentation.errors import InvalidImageError

MAX_ELEMENTS = 200_000
"""Of a whole header, items of sequences among them."""
MAX_VALUE_BYTES = 8192
MAX_TABLE_BYTES = 2**19
"""Of look-up tables: 65,536 entries are 128 KiB, and segments name them more lengthily at worst."""
MAX_VERTICES_BYTES = 1000 * 2 * 13
"""Of a polygonal shutter: at least a thousand vertices, each of two numbers of up to 12 characters (PS3.5 6.2). Two
seconds draw as many as can be written in it."""
MAX_ITEMS = 16
"""Of a sequence, more are passed over."""
MAX_DEPTH = 32
"""Of sequences within each other."""

INDISPENSABLE = frozenset(
    (
        *("WindowCenter", "WindowWidth", "VOILUTFunction", "RescaleSlope", "RescaleIntercept", "LUTDescriptor"),
        *("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "NumberOfFrames"),
        *("SamplesPerPixel", "PhotometricInterpretation", "PresentationLUTShape", "Modality"),
        *("PixelPaddingValue", "PixelPaddingRangeLimit", "VerticesOfThePolygonalShutter"),
    )
)
"""A film is refused if one of these is longer than any that is meant seriously; any other is cut."""

Elements = dict[BaseTag, DataElement | RawDataElement]

SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
VRS = SHORT_VRS | LONG_VRS
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_DATA = 0x7FE00010
META_GROUP = 0x0002
LETTERS = 0x2000
"""Groups from here on would be letters or figures of a text."""


@dataclass
class DicomObject:
    """What was found of an object.

    Attributes:
        header: The elements asked for, unconverted where they are no sequences.
        syntax: Transfer Syntax UID; "" if the file does not say.
        media_class: Media Storage SOP Class UID; "" if the file does not say.
        pixels: Value of Pixel Data, or None: fragments of a codestream with their items, or levels.
        pixel_vr: VR of Pixel Data, "" in implicit VR.
        is_big_endian: Byte order of Pixel Data.
        is_dicom_file: Whether the file has the magic number or a file meta group.
        is_cut: Whether the file ends inside an element.
        elements: How many elements the data set has.
    """

    header: Dataset = field(default_factory=Dataset)
    syntax: UID = UID("")
    media_class: UID = UID("")
    pixels: memoryview | None = None
    pixel_vr: str = ""
    is_big_endian: bool = False
    is_dicom_file: bool = False
    is_cut: bool = False
    elements: int = 0


class Walk:
    """Steps from element to element of one data set."""

    def __init__(self, data: bytes, order: str, implicit: bool) -> None:
        self.data, self.order, self.implicit = data, order, implicit
        self.steps = 0
        self._tag, self._short, self._long = (struct.Struct(order + form).unpack_from for form in ("HH", "H", "L"))

    def tag_at(self, position: int) -> int:
        group, element = self._tag(self.data, position)
        return group << 16 | element

    def header_at(self, position: int) -> tuple[int, str, int, int]:
        """Tag, VR ("" if unknown), length of the value and where it starts (PS3.5 7.1)."""
        self.steps += 1
        if self.steps > MAX_ELEMENTS:
            raise InvalidImageError(f"The header has more than {MAX_ELEMENTS:,} elements. Send the film without them.")
        tag = self.tag_at(position)
        vr = self.data[position + 4 : position + 6]
        if self.implicit or tag >> 16 == 0xFFFE:
            return tag, "", self._long(self.data, position + 4)[0], position + 8
        if vr in SHORT_VRS:
            return tag, vr.decode(), self._short(self.data, position + 6)[0], position + 8
        if vr in LONG_VRS and self.data[position + 6 : position + 8] == b"\0\0":
            return tag, vr.decode(), self._long(self.data, position + 8)[0], position + 12
        return tag, vr.decode() if vr in LONG_VRS else "", *self._odd_length(position, tag)

    def _odd_length(self, position: int, tag: int) -> tuple[int, int]:
        """Where a value lies whose VR is unknown, or where zeros must be and are not.

        Of the three ways to write a length it is the one that leads to an element.
        """
        if self._long(self.data, position + 4)[0] == UNDEFINED:
            return UNDEFINED, position + 8
        ways = ((self._long, 8, 12), (self._short, 6, 8), (self._long, 4, 8))
        for unpack, at, skipped in ways:
            if position + skipped > len(self.data):
                continue
            length = unpack(self.data, position + at)[0]
            if self._is_element(position + skipped + length, tag):
                return length, position + skipped
        return self._short(self.data, position + 6)[0], position + 8

    def follows(self, position: int) -> bool:
        """Whether behind the element at a position there is another one."""
        try:
            tag, _, length, start = self.header_at(position)
        except struct.error:
            return False
        if length == UNDEFINED:
            return self._is_element(start, 0)
        return self._is_element(start + length, tag)

    def _is_element(self, position: int, after: int) -> bool:
        """Whether an element with a tag above `after`, a delimiter or the end is at a position."""
        if position == len(self.data):
            return True
        if position + 8 > len(self.data):
            return False
        tag = self.tag_at(position)
        if tag >> 16 == 0xFFFE:
            return True
        vr = self.data[position + 4 : position + 6]
        begins_data_set = after >> 16 == META_GROUP and META_GROUP < tag >> 16 < LETTERS  # in any kind of VR
        return tag > after and tag >> 16 <= 0x7FFF and (self.implicit or vr in VRS or begins_data_set)

    def elements(
        self, position: int, end: int, wanted: set[int] | None, depth: int, found: DicomObject | None = None
    ) -> Elements:
        """Collect the wanted elements (None: all) up to `end` or a delimiter, where `self.position` then stands."""
        kept: Elements = {}
        self.position = position
        behind_sequence = False
        while self.position + 8 <= end:
            position = self.position
            tag, vr, length, start = self.header_at(position)
            if tag in (ITEM_END, SEQUENCE_END):
                self.position = start
                if depth and not (behind_sequence and tag == SEQUENCE_END):
                    return kept
                behind_sequence = False
                continue
            # some writers end a sequence of known length by a delimiter all the same, which ends nothing else
            behind_sequence = length != UNDEFINED and self._is_sequence(tag, vr)
            if found is not None:
                found.elements += 1
            is_wanted = (wanted is None or tag in wanted) and tag not in kept
            if tag == PIXEL_DATA and found is not None:
                stop = end if length == UNDEFINED else min(start + length, end)
                found.pixels, found.pixel_vr = memoryview(self.data)[start:stop], vr
                return kept | self._behind_an_icon(start, length, end, wanted, found)
            elif length == UNDEFINED or (is_wanted and self._is_sequence(tag, vr)):
                walk = self._walk_of_items(start)
                items = walk._items(start, length, end, is_wanted, depth, vr in ("UN", ""))
                self.steps, self.position = walk.steps, walk.position
                if is_wanted:
                    kept[Tag(tag)] = DataElement(Tag(tag), "SQ", Sequence(items))
            else:
                self.position = start + length
                if self.position > end:
                    self._mark_cut(found)
                elif is_wanted and length:
                    kept[Tag(tag)] = self._value(tag, vr, start, length)
        if self.position < end and depth == 0:
            self._mark_cut(found)
        return kept

    def _behind_an_icon(
        self, start: int, length: int, end: int, wanted: set[int] | None, found: DicomObject
    ) -> Elements:
        """The film's elements, if the Pixel Data at a place are an icon's that lost its sequence.

        Tags only ascend (PS3.5 7.1), so nothing behind a film's Pixel Data says anything of it. Some anonymisers leave
        out the sequence around an icon, and write its item's elements before the film's.
        """
        film, walk = DicomObject(elements=found.elements), self._beside(self.order, self.implicit)
        try:
            walk.position = start + length
            if length == UNDEFINED:
                walk._items(start, length, end, False, 0, False)
            if not walk._is_element(walk.position, 0) or walk.tag_at(walk.position) >= PIXEL_DATA:
                return {}
            elements = walk.elements(walk.position, end, wanted, 0, film)
        except (InvalidImageError, struct.error):  # there is no data set
            return {}
        if film.pixels is None:
            return {}
        found.pixels, found.pixel_vr, found.elements = film.pixels, film.pixel_vr, film.elements
        self.position = walk.position
        return elements

    def _beside(self, order: str, implicit: bool) -> "Walk":
        """Another walk through the same bytes, which may take no more steps than are left to this one."""
        walk = Walk(self.data, order, implicit)
        walk.steps = self.steps
        return walk

    def _mark_cut(self, found: DicomObject | None) -> None:
        if found is not None:
            found.is_cut = True
        self.position = len(self.data)

    def _is_sequence(self, tag: int, vr: str) -> bool:
        if vr in ("", "UN"):
            return keyword_for_tag(tag) != "" and dictionary_VR(tag) == "SQ"
        return vr == "SQ"

    def _value(self, tag: int, vr: str, start: int, length: int) -> RawDataElement:
        """A raw element; a value longer than any that is meant seriously is cut, or the film refused."""
        keyword = keyword_for_tag(tag)
        if keyword.endswith("LUTData") or keyword.endswith("LookupTableData"):
            length = min(length, MAX_TABLE_BYTES)
        elif length > (MAX_VERTICES_BYTES if keyword == "VerticesOfThePolygonalShutter" else MAX_VALUE_BYTES):
            if keyword in INDISPENSABLE:
                raise InvalidImageError(f"{keyword} is {length:,} bytes long; export the film again.")
            length = MAX_VALUE_BYTES
        value = bytes(self.data[start : start + length])
        return RawDataElement(Tag(tag), vr or None, length, value, start, self.implicit, self.order == "<")

    def _walk_of_items(self, start: int) -> "Walk":
        """What reads a sequence: one of VR UN is little endian in a file of the other order, too (CP-246)."""
        is_turned = self.order == ">" and self.data[start : start + 2] == b"\xfe\xff"
        return self._beside("<", True) if is_turned else self

    def _items(self, start: int, length: int, end: int, is_wanted: bool, depth: int, is_untold: bool) -> list[Dataset]:
        """The first items of a sequence; an undefined length is followed to its delimiter (PS3.5 7.5)."""
        if depth >= MAX_DEPTH:
            raise InvalidImageError("The header has too many sequences within each other. Export the film again.")
        end = end if length == UNDEFINED else min(start + length, end)
        outer = self.implicit
        items: list[Dataset] = []
        self.position = start
        while self.position + 8 <= end:
            tag, _, item_length, inside = self.header_at(self.position)
            if tag == ITEM_END:  # behind an item of a known length, where some writers put it all the same
                self.position = inside
                continue
            if tag != ITEM:
                self.position = inside if tag == SEQUENCE_END else self.position
                break
            self.implicit = self._is_implicit_at(inside, is_untold)
            keep = is_wanted and len(items) < MAX_ITEMS
            if item_length == UNDEFINED:
                elements = self.elements(inside, end, None if keep else set(), depth + 1)
            else:
                elements = self.elements(inside, min(inside + item_length, end), None, depth + 1) if keep else {}
                self.position = inside + item_length
            self.implicit = outer
            if keep:
                items.append(Dataset(elements))
            elif length != UNDEFINED:
                break
        if length != UNDEFINED:
            self.position = start + length
        return items

    def _is_implicit_at(self, position: int, is_untold: bool) -> bool:
        """Whether an item is in implicit VR, by its first element.

        In a sequence of VR UN it is (PS3.5 6.2.2, note 2), but some writers put explicit VR there. In any other one it
        has the kind of VR of what is around it (PS3.5 7.5), but some writers put the other kind there.
        """
        if position + 8 > len(self.data) or self.tag_at(position) >> 16 == 0xFFFE:  # it is empty
            return self.implicit
        has_vr = self.data[position + 4 : position + 6] in VRS
        if self.implicit:
            return not (has_vr and self._is_other_kind(position))
        return not has_vr and (is_untold or self._is_other_kind(position))

    def _is_other_kind(self, position: int) -> bool:
        """Whether an element leads to another one only in the other kind of VR."""
        return Walk(self.data, self.order, not self.implicit).follows(position) and not self.follows(position)
