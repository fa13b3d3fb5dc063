"""The one exception that a user is meant to read."""


class BadInput(Exception):
    """Something a user can mend: the message names the place, what is wrong and what to do."""
