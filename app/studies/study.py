"""A film and its answer as a row of the database."""

from sqlalchemy import JSON, BigInteger, Dialect, TypeDecorator
from sqlalchemy.orm import Mapped, mapped_column

from app.studies.answer import Answer
from app.studies.database import Base


class AnswerColumn(TypeDecorator[Answer]):
    """Answers as JSON."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Answer | None, dialect: Dialect) -> dict | None:
        """Write an answer."""
        return None if value is None else value.to_json()

    def process_result_value(self, value: dict | None, dialect: Dialect) -> Answer | None:
        """Read one."""
        return None if value is None else Answer.from_json(value)


class Study(Base):
    """One film and its answer.

    Attributes:
        id: Unguessable; the answer's id, and part of the study's address.
        owner: Random name of the browser session that uploaded the film.
        file_name: As the browser gave it, so that a person recognises the film.
        created_at: Seconds since the epoch.
        expires_at: Seconds since the epoch; from here on the study does not exist.
        size_bytes: Of its pictures, as they came.
        answer: To the film; it carries the mask.
        film_png: The film as the page shows it. Pictures are loaded by `StudyStore.get` only.
        probability_png: The probability map, 0 to 255 for 0 to 1, in the network's own geometry.
        disagreement_png: The disagreement map, likewise.
        patient_key: Equal for films of one patient; None where the file does not say whose it is.
        taken_on: ISO date of the film; None where the file does not say.
        dicom_header: What exports need of the file's header, from `header.kept_of`.
        example: Name of the example film that it is; None for a film that somebody uploaded.
        thumbnail_png: The film, small, for the list; None for a film kept before there were any.
        seen_at: When its result was first opened, seconds since the epoch; None until then.
        verdict: What the reader says of the answer: "right", "wrong", or None.
        corrected_png: The reader's own mask, in the pixels of `film_png`; None while there is none.
        training_id: Name of the copy that the reader gave for training; None while there is none.
        activations: From `Saliency.activations`; None until somebody asks. Loaded as pictures are.
        occlusion: The last step of `Saliency.occlusion`, likewise.
    """

    __tablename__ = "studies"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(index=True)
    file_name: Mapped[str]
    created_at: Mapped[float]
    expires_at: Mapped[float] = mapped_column(index=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    answer: Mapped[Answer] = mapped_column(AnswerColumn)
    film_png: Mapped[bytes] = mapped_column(deferred=True, deferred_group="pictures")
    probability_png: Mapped[bytes] = mapped_column(deferred=True, deferred_group="pictures")
    disagreement_png: Mapped[bytes] = mapped_column(deferred=True, deferred_group="pictures")
    patient_key: Mapped[str | None]
    taken_on: Mapped[str | None]
    dicom_header: Mapped[dict | None] = mapped_column(JSON, deferred=True, deferred_group="pictures")
    example: Mapped[str | None]
    thumbnail_png: Mapped[bytes | None] = mapped_column(deferred=True, deferred_group="pictures")
    seen_at: Mapped[float | None]
    verdict: Mapped[str | None]
    corrected_png: Mapped[bytes | None] = mapped_column(deferred=True, deferred_group="pictures")
    training_id: Mapped[str | None]
    activations: Mapped[dict | None] = mapped_column(JSON, deferred=True, deferred_group="pictures")
    occlusion: Mapped[dict | None] = mapped_column(JSON, deferred=True, deferred_group="pictures")
