"""What goes wrong by no fault of the code."""


class UserError(ValueError):
    """Something that whoever runs a command can mend; the message is one sentence, and no traceback is shown."""
