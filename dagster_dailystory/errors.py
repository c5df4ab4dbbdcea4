"""Every error this package raises, named by what the reader should do about it.

```
DailyStoryError
├── ConfigurationError     fix the settings or the mapping; nothing has run
├── WarehouseError         fix the query, the grants or the connection
├── StateError             this state cannot be used: another version, destination or key
│   └── BusyError          another run holds the sync: wait, then run again
├── SafetyError            a guard or the plan's status refused: look at the plan
├── AuthenticationError    fix the API token; the run stopped after one request
├── OutageError            DailyStory is down or refuses all rows alike: run again later
├── ConsentError           a request would have opted a contact back in: report it as a bug
├── RejectedError          DailyStory refused this one row: fix the row
├── NotFoundError          no such contact at DailyStory
└── RetryableError         this request may work later; the sender tries it again
    └── ThrottledError     ... after the time that the service asks for
```

No message, attribute or `repr` of these errors holds a token, an email, a phone number or a name.
"""


class DailyStoryError(Exception):
    """Base of everything this package raises on purpose.

    Attributes:
        status: The HTTP status where a response caused the error, else None.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class ConfigurationError(DailyStoryError):
    """A setting or a mapping cannot work; fix it. Raised before anything runs."""


class WarehouseError(DailyStoryError):
    """The warehouse could not be reached or refused the query; nothing was changed."""


class StateError(DailyStoryError):
    """The state database belongs to another version, destination or key; nothing was changed."""


class BusyError(StateError):
    """Another run is planning or sending this sync; run again when it is over."""


class SafetyError(DailyStoryError):
    """A guard, or the status of the plan, says that it must not be sent."""


class AuthenticationError(DailyStoryError):
    """DailyStory does not accept the API token (401 or 403)."""


class OutageError(DailyStoryError):
    """Too many requests in a row failed alike; the rest stays a difference for the next run."""


class ConsentError(DailyStoryError):
    """A payload would undo an opt-out or set a status that is not ours to set; it was not sent."""


class RejectedError(DailyStoryError):
    """DailyStory refused one row; the others go on.

    The message is the service's own with personal data masked.
    """


class NotFoundError(RejectedError):
    """The dsid is not known to DailyStory (never existed, merged away, or removed)."""


class RetryableError(DailyStoryError):
    """A request failed in a way that may pass.

    Attributes:
        may_have_landed: True where the service may have stored the request although no answer came.
    """

    def __init__(self, message: str, *, status: int | None = None, may_have_landed: bool = True) -> None:
        super().__init__(message, status=status)
        self.may_have_landed = may_have_landed


class ThrottledError(RetryableError):
    """DailyStory asks to wait (429, or 503 with Retry-After); the request was not stored.

    Attributes:
        retry_after_seconds: The wait that the service asked for, None where it named none.
    """

    def __init__(self, message: str, *, status: int, retry_after_seconds: float | None) -> None:
        super().__init__(message, status=status, may_have_landed=False)
        self.retry_after_seconds = retry_after_seconds
