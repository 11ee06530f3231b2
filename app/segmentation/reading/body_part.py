"""Does a header say that a film shows a chest? One table for words of many languages and for the standard's codes."""

import re
from collections.abc import Iterable

from app.segmentation.reading.file_header import Code
from app.segmentation.reading.vocabulary import normalised, says_something, words

CHEST_STEMS = tuple(
    """
    CHEST THORA TORAC TORAX TORAKS TORAKA THORAK TORAIC LUNG PULM PLEUR PNEUMO BRUSTKORB HEMITHOR POUMON
    POITRINE POLMON PULMAO PULMOE PLAMAN COSTILLA COSTELA COSTAL PIEPT MEDIASTIN CARDIOTHOR RIBCAGE RIPPEN
    BORSTKAS LONGEN BROSTKORG BRYSTKASSE BRJOST RINTAKEHA KEUHKO RINDKERE KOPSU KRUSKURV KRUSUKURV PLAUSA PLAUCI
    KRUTINE KLATK PIERSIOW PLUC PLJUC HRUDNI PLIC GRUDN PRSNIKOS PRSNIHKOS MELLKAS TUDO KRAHAROR MUSHKERI GOGUS
    AKCIGER BULARR LONGNGUC PARUPARU DIBDIB KIFUA ГРУД ЛЕГК ЛЕГЕН ГРЪД БЯЛДРОБ БЕЛИТЕДРОБ ПЛУЋ ТОРАК ФЛЮОРОГР
    ΘΩΡΑΚ ΘΩΡΑΞ ΠΝΕΥΜΟΝ ΣΤΗΘΟ 胸 肺 흉부 가슴 폐 صدر الصدر رئة الرئتين سینه سينه ریه ريه חזה ריאות छाती फेफड़ ทรวงอก ปอด
    肋 늑골
    """.split()
)
"""Where one of these stands in a text, written together, it speaks of a chest."""

CHEST_WORDS = frozenset(
    """
    RIND KOPS TORSE CXR PCXR CH CHST THX THO TH TRX RTGKLP KLP SRCE HEART CARDIAC TORSO TRUNK UPPERTRUNK RIB RIBS RIPPE
    BRUST PECHO PEITO PETTO PIT BORST BRYST BROST LUNGE LUNGA PARU DADA NGUC NGỰC PHOI ОГК ОГП РИБА РЕБРА COSTE COTES
    HERZ COEUR CORAZON CORACAO CUORE
    อก
    """.split()
)
"""Words that mean a chest when they stand alone."""

SPINE_AND_OTHERS = tuple(
    """
    SPINE SPINAL VERTEB COLUMN COLUNA COLONN COLOANA RACHIS WIRBEL WERVEL LUMB LOMB DORSOLUM KREGOSL PATER
    CHRBTIC GERINC SELKARAN RYGG OMURGA KRALJEZ KRALJES HRBTEN ПОЗВОН ХРЕБ КИЧМ ГРУДИН ΣΠΟΝΔΥΛ 脊 椎 胸骨 척추
    흉추 ΜΟΙΡΑ فقرات العمود ستون COTSONG DOTSONG שדרה กระดูกสันหลัง BELAKANG RINTARAN LULISAM MUGURKAUL STUBUR KICM RYGS
    STERN BREAST MAMMA MAMMO KREG ОТДЕЛ 関節 关节 關節 OUTLET INLET AORTA SHOULDER HUMERUS SCAPUL ODCIN
    """.split()
)
"""These speak of something else, though it is called thoracic or lies in front of a chest."""

OTHER_WORDS = frozenset("TSPINE TSP BWS WS TLSPINE CTSPINE RACHIDE DORSAL PULMONARYARTERY".split())

CHEST_CODES = frozenset(
    {
        *("816094009", "51185008", "T-D3000"),  # chest; before 2020; SRT
        *("43799004", "T-D3200", "39607008", "T-28000", "86598002", "T-280A0"),  # intra-thoracic, lung, its apex
        *("113197003", "T-11300", "72410000", "T-D3300", "80891009", "T-32000"),  # rib, mediastinum, heart
        *("3120008", "T-29000", "22943007", "T-D2000", "67734004", "T-D2020"),  # pleura, trunk, upper trunk
        *("416550000", "R-FAB55", "417437006", "R-FAB52", "416152001", "R-FAB53"),  # chest and abdomen, and neck
        *("416775004", "R-FAB56", "416319003", "R-FAB54"),  # chest, abdomen and pelvis, and neck
    }
)
"""SNOMED CT of CID 4031 and CID 4009 (PS3.16), and the SNOMED-RT codes that they replace, with a chest in them."""

SNOMED = frozenset({"SCT", "SRT", "SNM3", "99SDM", "SNOMED", "SNOMED-CT"})


LONG_ENOUGH = 5
"""Letters of a stem that may stand inside a word (HEMITHORAX); LUNG would be found in EINSTELLUNG."""

_CHEST_STEMS = tuple(normalised(stem) for stem in CHEST_STEMS)
_INNER_STEMS = tuple(stem for stem in _CHEST_STEMS if len(stem) >= LONG_ENOUGH or stem[0] > "\u0500")


def shows_chest(text: str) -> bool | None:
    """Whether a name of a body part is that of a chest.

    Returns:
        None if it names no part at all.
    """
    if not says_something(text):
        return None
    said, joined = set(words(text)), normalised(text).replace(" ", "")
    is_other = bool(said & OTHER_WORDS) or any(stem in joined for stem in SPINE_AND_OTHERS)
    with_chest = bool((said | {joined}) & CHEST_WORDS) or any(stem in joined for stem in _INNER_STEMS)
    with_chest |= any(word.startswith(_CHEST_STEMS) for word in (*said, joined))
    garbled = re.search(r"\bT\W{0,3}.?\W{1,3}RAX", text.upper())  # Ó in a character set that nobody named
    return (with_chest or garbled is not None) and not is_other


def named_by(text: str, regions: Iterable[Code]) -> str:
    """Choose what a header calls the body part, of all that it says.

    Args:
        text: Body Part Examined (0018,0015).
        regions: Anatomic Region Sequence (0008,2218).

    Returns:
        The first that names another part than a chest; else the first that names one; "" if none does.
    """
    named = [(text, shows_chest(text)), *((_name_of(region), _is_chest(region)) for region in regions)]
    others = (name for name, is_chest in named if is_chest is False)
    return next(others, next((name for name, is_chest in named if is_chest), ""))


def _is_chest(region: Code) -> bool | None:
    if region.value.upper() in CHEST_CODES:
        return True
    in_words = shows_chest(region.meaning)
    return False if in_words is None and region.value and region.scheme.upper() in SNOMED else in_words


def _name_of(region: Code) -> str:
    if region.value.upper() in CHEST_CODES:
        return "CHEST"
    return region.meaning.upper() or f"{region.scheme} {region.value}"
