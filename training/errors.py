"""What goes wrong by no fault of the code.

UserError
└── TrainingDataError             films that cannot be trained on as they are
    └── MissingFilmError          a film or a table that is not where it should be
"""


class UserError(ValueError):
    """Something that whoever runs a command can mend; the message is one sentence, and no traceback is shown."""


class TrainingDataError(UserError):
    """Films that cannot be trained on as they are; the message is one sentence for whoever trains."""


class MissingFilmError(TrainingDataError, FileNotFoundError):
    """A film, or what says which films there are, that is not where it should be."""
