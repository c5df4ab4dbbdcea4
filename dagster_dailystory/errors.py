"""All errors of this package, named by what to do about them.

```
DailyStoryError
├── ConfigurationError     fix the settings or the mapping; nothing has run
├── WarehouseError         fix the query, the permissions or the connection
├── StateError             the state belongs to another version, destination or key
│   └── BusyError          another run holds the lease of the sync: wait, then run again
├── SafetyError            a guard or the status of the plan forbids sending: inspect the plan
├── AuthenticationError    fix the API token; the run stopped after one request
├── OutageError            DailyStory is down, unreachable or refuses all rows: run again later
├── ConsentError           a request would have opted a contact back in: report it as a bug
├── RejectedError          DailyStory refused this row: fix the row
│   ├── NotFoundError      DailyStory does not know the contact
│   └── ForbiddenError     DailyStory, or a firewall before it, forbids this request (403)
└── RetryableError         the request may succeed later; the sender retries it
    ├── ThrottledError     ... after the time that DailyStory asks for
    └── UnreadableError    ... once what makes its responses unreadable is corrected
```

No message, attribute or `repr` of these errors contains a token, an email address, a phone number or a name.
"""


class DailyStoryError(Exception):
    """Base class of the errors of this package.

    Attributes:
        status: The HTTP status if a response caused the error, else None.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class ConfigurationError(DailyStoryError):
    """A setting or a mapping is not valid; raised before anything runs."""


class WarehouseError(DailyStoryError):
    """The warehouse could not be reached or refused the query; nothing was changed."""


class StateError(DailyStoryError):
    """The state database belongs to another version, destination or key; nothing was changed."""


class BusyError(StateError):
    """Another run is planning or sending this sync; run again when it has ended."""


class SafetyError(DailyStoryError):
    """A guard, or the status of the plan, forbids sending it."""


class UnknownPlanError(SafetyError):
    """The state has no plan with this id: correct the id."""


class AuthenticationError(DailyStoryError):
    """DailyStory does not accept the API token: a 401, or a 403 for every request."""


class OutageError(DailyStoryError):
    """No request had an answer, or too many in a row failed for the same reason; the next run sends what is left."""


class ConsentError(DailyStoryError):
    """A request body would undo an opt-out or set a status that a sync may not set; it was not sent."""


class RejectedError(DailyStoryError):
    """DailyStory refused one row; the other rows are still sent.

    The message is DailyStory's own with personal data masked.
    """


class NotFoundError(RejectedError):
    """DailyStory does not know the dsid: it never existed, was merged into another contact, or was removed."""


class ForbiddenError(RejectedError):
    """A request is forbidden (403). Whether that is about the row or about the token, the sender finds out.

    Attributes:
        is_page: The response is an HTML page: a firewall refused the request because of its content.
    """

    def __init__(self, message: str, *, is_page: bool) -> None:
        super().__init__(message, status=403)
        self.is_page = is_page


class RetryableError(DailyStoryError):
    """A request failed for a reason that may be temporary.

    Attributes:
        may_have_landed: Whether DailyStory may have applied the request although there was no response.
    """

    def __init__(self, message: str, *, status: int | None = None, may_have_landed: bool = True) -> None:
        super().__init__(message, status=status)
        self.may_have_landed = may_have_landed


class ThrottledError(RetryableError):
    """DailyStory asks to wait (429, or 503 with Retry-After); the request was not applied.

    Attributes:
        retry_after_seconds: The requested wait, None if the response does not state one.
    """

    def __init__(self, message: str, *, status: int, retry_after_seconds: float | None) -> None:
        super().__init__(message, status=status, may_have_landed=False)
        self.retry_after_seconds = retry_after_seconds


class UnreadableError(RetryableError):
    """The response to a request is a redirect, or has a form that cannot be read; so would another response.

    It is not repeated within the run. If it meets all requests, it becomes a ConfigurationError.
    """


def may_pass(error: DailyStoryError) -> bool:
    """Whether the cause of an error may end without a correction, so that an orchestrator runs the sync again."""
    return isinstance(error, (BusyError, OutageError, RetryableError, WarehouseError))
