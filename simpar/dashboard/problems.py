"""What goes wrong with a request, as an error with a status and words for the one who asked."""

__all__ = ["RequestError"]


class RequestError(Exception):
    """Says why a request cannot be answered.

    Args:
        status: of HTTP.
        error: a short name that does not change.
        message: what was wrong, what was expected, how to fix it.
        retry_after_s: when to ask again, if that may help.
    """

    def __init__(self, status: int, error: str, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.status, self.error, self.message, self.retry_after_s = status, error, message, retry_after_s
