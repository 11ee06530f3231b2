"""The order in which films are to be read."""

import itertools

from app.segmentation.decision.doubts import UNFAMILIAR, Doubt
from app.studies.reading_order import GROUPS, Worklist, group_of, in_order, order_of
from app.studies.study import Study
from tests.support.answers import make_answer

WARNING = Doubt("clipped", "warning", "…")


def study(
    name: str, finding: str = "negative", probability: float = 0.1, *, doubts: tuple = (), at: float = 1e9, **more
) -> Study:
    answer = make_answer(finding, probability, doubts)
    return Study(id=name, owner="ann", file_name=name, created_at=at, answer=answer, **more)


IN_ORDER = (
    study("sure", "positive", 0.9, at=1e9 + 5),
    study("likely", "positive", 0.7, doubts=(WARNING,)),
    study("strange", "indeterminate", 0.01, doubts=(UNFAMILIAR,)),
    study("perhaps", "indeterminate", 0.5),
    study("hardly", "indeterminate", 0.4),
    study("doubtful", "negative", 0.02, doubts=(WARNING,)),
    study("low", "negative", 0.2),
    study("early", "negative", 0.1),
    study("late", "negative", 0.1, at=1e9 + 1),
)


def test_films_are_read_in_the_order_of_suspicion_whatever_the_order_of_their_arrival():
    names = [film.id for film in IN_ORDER]
    for films in itertools.islice(itertools.permutations(IN_ORDER), 0, 300_000, 997):
        assert [film.id for film in in_order(films)] == names


def test_a_withheld_answer_stands_above_every_film_that_the_model_did_not_suspect():
    withheld = study("withheld", "indeterminate", 0.0, doubts=(UNFAMILIAR,))
    assert [film.id for film in in_order([*IN_ORDER, withheld])].index("withheld") in (2, 3)


def test_a_later_film_never_sinks_an_equal_one():
    assert [film.id for film in in_order([study("b", at=1e9 + 0.001), study("a", at=1e9)])] == ["a", "b"]


def test_the_page_s_script_sorts_as_the_server_does():
    """It compares the texts of `order_of` within a group."""
    for group in GROUPS:
        films = [film for film in reversed(IN_ORDER) if group_of(film) == group]
        assert [film.id for film in sorted(films, key=order_of)] == [film.id for film in in_order(films)]
    assert {group_of(film).code for film in IN_ORDER} == {group.code for group in GROUPS}


def test_neighbours():
    worklist = Worklist(IN_ORDER)
    assert worklist.neighbours(IN_ORDER[0]) == (None, IN_ORDER[1])
    assert worklist.neighbours(IN_ORDER[4]) == (IN_ORDER[3], IN_ORDER[5])
    assert worklist.neighbours(IN_ORDER[-1]) == (IN_ORDER[-2], None)
    assert worklist.neighbours(study("gone")) == (None, None)


def test_only_films_whose_file_names_the_patient_are_of_one_patient():
    films = [study("a", patient_key="p", taken_on="2024-03-01"), study("b", patient_key="p", taken_on="2024-01-01")]
    films += [study("c", patient_key="q"), study("d"), study("e"), study("f", patient_key="p", taken_on=None)]
    worklist = Worklist(films)
    assert [film.id for film in worklist.others_of_patient(films[0])] == ["b", "f"]
    assert worklist.others_of_patient(films[2]) == worklist.others_of_patient(films[3]) == []
