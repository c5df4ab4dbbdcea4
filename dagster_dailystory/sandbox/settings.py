"""The settings of the sandbox: one switch for each behaviour that DailyStory does not document.

U1 to U30 number the open questions; docs/explanation/service.md lists those that affect a sync. The defaults are the
documented or else the most likely behaviour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.settings import choice
from dagster_dailystory.sandbox.faults import FaultShares, RateLimit

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
"""Any JSON value."""


class RetryAfter(str, Enum):
    """The form of Retry-After in a throttled response (U1)."""

    NONE = "none"
    SECONDS = "seconds"
    DATE = "date"


class ImportForm(str, Enum):
    """Which bodies /contact/import accepts (U3)."""

    OBJECT = "object"
    OBJECT_OR_ARRAY = "object_or_array"
    GONE = "gone"


class Blank(str, Enum):
    """The effect of null or "" on a field (U5)."""

    KEEP = "keep"
    CLEAR = "clear"
    REFUSE = "refuse"


class CustomTypes(str, Enum):
    """How a custom value that is not a string is stored (U8)."""

    TEXT = "text"
    RAW = "raw"
    REFUSE = "refuse"


class MatchOrder(str, Enum):
    """Which of several contacts with the same email or mobile number is the first match (U9)."""

    INSERTION = "insertion"
    ARBITRARY = "arbitrary"


class IdentityTaken(str, Enum):
    """The effect of an update with the email or mobile number of another contact (U10)."""

    DUPLICATE = "duplicate"
    MOVE = "move"
    MERGE = "merge"
    REFUSE = "refuse"


class UnknownDsid(str, Enum):
    """The effect of a POST with an unknown dsId (U11)."""

    REFUSE = "refuse"
    CREATE = "create"


class NotFound(str, Enum):
    """The response to a GET of a missing contact (U12)."""

    STATUS_404 = "404"
    STATUS_400 = "400"
    STATUS_FALSE = "status_false"
    NULL_CONTACT = "null_contact"
    EMPTY_CONTACT = "empty_contact"


class Revival(str, Enum):
    """Which writes make a deleted or inactive contact active again (U17)."""

    NEVER = "never"
    EMAIL_CHANGE = "email_change"
    ANY_WRITE = "any_write"


class LongValue(str, Enum):
    """The effect of a text longer than `max_value_length` (U18)."""

    REFUSE = "refuse"
    CUT = "cut"


class ErrorBody(str, Enum):
    """The body of an error response (U20)."""

    ENVELOPE = "envelope"
    HTML = "html"
    EMPTY = "empty"


class BirthDateName(str, Enum):
    """Which key sets the date of birth (U24); a GET always returns `dateBirth`."""

    BOTH = "both"
    DATE_BIRTH = "dateBirth"
    DATE_OF_BIRTH = "dateOfBirth"


class WrongHost(str, Enum):
    """The response of a host that is not the account's data centre (U28)."""

    NO = "no"
    MOVED_301 = "301"
    FOUND_302 = "302"
    UNAUTHORIZED = "401"


class AboutShape(str, Enum):
    """Which documented form /about has (U14), or one that names no account."""

    FLAT_2019 = "2019"
    TENANT_2025 = "2025"
    BARE = "bare"
    NAMELESS = "nameless"
    TEXT = "text"
    FORBIDDEN = "forbidden"


class MergedDsid(str, Enum):
    """The contact behind the dsid of a merged contact (U30)."""

    ABSENT = "absent"
    KEPT = "kept"


_CHOICES: Mapping[str, type[Enum]] = {
    "rate_limit": RateLimit, "retry_after": RetryAfter, "import_form": ImportForm, "null_value": Blank,
    "empty_value": Blank, "custom_types": CustomTypes, "match_order": MatchOrder, "identity_taken": IdentityTaken,
    "unknown_dsid": UnknownDsid, "not_found": NotFound, "revival": Revival, "long_value": LongValue,
    "error_body": ErrorBody, "birth_date_name": BirthDateName, "wrong_host": WrongHost, "about_shape": AboutShape,
    "merged_dsid": MergedDsid,
}  # fmt: skip


_STRICT: Mapping[str, object] = {
    "duplicates_allowed": True, "email_case_matters": True, "phone_format_matters": True,
    "about_shape": AboutShape.FLAT_2019,
}  # fmt: skip
"""The settings of the stricter mode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """The behaviour of a sandbox. Enums may be given as text: `not_found="400"`.

    Not configurable: /contact/upsert accepts GET and POST (U13), custom field lists have placeholder paths (U14), a
    status may be sent as a word or a number (U15), times have no zone (U23), and webhooks (U25) are not sent.

    Attributes:
        tokens: Every valid API token; two during a rotation (U29). With none, `Sandbox` makes one at random.
        latency_seconds: Delay of each API response (U2).
        slow_seconds: Delay of `Fault.SLOW` (U2).
        faults: Shares of requests that fail at random (U1, U2, U20).
        refuse_if: Called with each POST body; if it returns a text, the contact is refused with that message (U20).
        requests_per_second: Requests above this rate get 429; None for no limit (U1).
        rate_limit: How requests are counted (U1).
        rate_window_seconds: Length of a window, or of the unused rate that a bucket keeps (U1).
        retry_after: The form of Retry-After in a throttled response (U1).
        retry_after_seconds: Retry-After of a throttling fault, in whole seconds (U1).
        throttle_status: 429 or 503 (U1).
        import_form: Which bodies /contact/import accepts (U3).
        import_delay_seconds: Time until imported contacts appear (U4).
        absent_clears: An update clears the fields that it omits (U5).
        null_value: The effect of null on a field (U5).
        empty_value: The effect of "" on a field (U5).
        empty_custom_removes: Whether "" removes a custom value; else it is stored (U6).
        null_custom_removes: Whether null removes a custom value; else it is ignored (U6).
        extended_properties_replace: Whether sent custom values replace all stored ones; else they merge (U7).
        custom_types: How a custom value that is not a string is stored (U8).
        strict: Sets `duplicates_allowed`, `email_case_matters`, `phone_format_matters` and the flat `about_shape`: the
            behaviour that leaves a sync the least room for error (U9, U14).
        duplicates_allowed: Whether a POST without dsId always creates, even if the email exists (U9).
        email_case_matters: Whether matching of emails is case-sensitive (U9).
        phone_format_matters: Whether a mobile number is found only in the format in which it was sent (U9).
        match_order: Which of several matches is used (U9).
        identity_taken: The effect of an update with the email or mobile number of another contact (U10).
        unknown_dsid: The effect of a POST with an unknown dsId (U11).
        not_found: The response to a GET of a missing contact (U12).
        status_as_number: Whether a GET returns 0 and 100 instead of Active and Deleted (U15).
        false_opts_in: Whether an opt-out flag sent as false opts the contact back in; else it is ignored (U16).
        revival: Which writes make a deleted or inactive contact active again (U17).
        deleted_readable: Whether a GET finds a deleted contact (U12, U17).
        deleted_matched: Whether a POST with the email of a deleted contact updates it; else it creates one (U17).
        max_value_length: Longest text in characters; None for no limit (U18).
        long_value: The effect of a longer text (U18).
        bad_identity_refused: Whether an invalid email or a number below 10 digits is refused; else it is stored (U18).
        proper_case: Whether texts are stored With Capitals, as the old import did (U19).
        phones_reformatted: Whether mobile numbers are stored as `+1 (555) 714-0059` (U19).
        error_body: The body of an error response (U20).
        refusal_status: HTTP status of a refused contact: 400, 422, or 200 with `Status: false` (U20, U21).
        unauthorized_status: HTTP status for a bad token: 401 or 403 (U20).
        envelope_has_code: Whether each envelope has the HTTP status as `Code`, as before 2020 (U20).
        contact_quota: Creates above this number of active contacts are refused; None for no limit (U21).
        lookup_lag_seconds: Time until a GET finds a new email or mobile number (U22).
        gender_as_number: Whether a GET returns `gender` as 0 (not set) or 10 (U24).
        birth_date_name: Which key sets the date of birth (U24).
        max_body_bytes: Larger bodies get 413; None for no limit (U26).
        allowed_hosts: Names other than localhost under which the sandbox may be reached, for example of a container.
        strict_paths: Whether paths and keys must be spelt exactly as documented (U27).
        wrong_host: The response of a host that is not the account's data centre (U28).
        redirect_to: The base URL of a `wrong_host` redirect (U28).
        merged_dsid: The contact behind the dsid of a merged contact (U30).
        about_shape: Which documented form /about has (U14).
        tenant_name: The account's name in /about.
        tenant_uid: The account's id in /about.
        data_center: The data centre in /about.
    """

    tokens: tuple[str, ...] = field(default=(), repr=False)
    latency_seconds: float = 0.0
    slow_seconds: float = 5.0
    faults: FaultShares = field(default_factory=FaultShares)
    refuse_if: Callable[[Mapping[str, JsonValue]], str | None] | None = None
    requests_per_second: float | None = None
    rate_limit: RateLimit = RateLimit.TOKEN_BUCKET
    rate_window_seconds: float = 1.0
    retry_after: RetryAfter = RetryAfter.SECONDS
    retry_after_seconds: int = 1
    throttle_status: int = 429
    import_form: ImportForm = ImportForm.OBJECT
    import_delay_seconds: float = 0.0
    absent_clears: bool = False
    null_value: Blank = Blank.KEEP
    empty_value: Blank = Blank.CLEAR
    empty_custom_removes: bool = False
    null_custom_removes: bool = False
    extended_properties_replace: bool = False
    custom_types: CustomTypes = CustomTypes.TEXT
    strict: bool = False
    duplicates_allowed: bool = False
    email_case_matters: bool = False
    phone_format_matters: bool = False
    match_order: MatchOrder = MatchOrder.INSERTION
    identity_taken: IdentityTaken = IdentityTaken.DUPLICATE
    unknown_dsid: UnknownDsid = UnknownDsid.REFUSE
    not_found: NotFound = NotFound.STATUS_404
    status_as_number: bool = False
    false_opts_in: bool = True
    revival: Revival = Revival.NEVER
    deleted_readable: bool = True
    deleted_matched: bool = True
    max_value_length: int | None = None
    long_value: LongValue = LongValue.REFUSE
    bad_identity_refused: bool = True
    proper_case: bool = False
    phones_reformatted: bool = False
    error_body: ErrorBody = ErrorBody.ENVELOPE
    refusal_status: int = 400
    unauthorized_status: int = 401
    envelope_has_code: bool = False
    contact_quota: int | None = None
    lookup_lag_seconds: float = 0.0
    gender_as_number: bool = False
    birth_date_name: BirthDateName = BirthDateName.BOTH
    max_body_bytes: int | None = 4_194_304
    allowed_hosts: tuple[str, ...] = ()
    strict_paths: bool = False
    wrong_host: WrongHost = WrongHost.NO
    redirect_to: str = "https://uk-3.dailystory.invalid/api/v1"
    merged_dsid: MergedDsid = MergedDsid.ABSENT
    about_shape: AboutShape = AboutShape.FLAT_2019
    tenant_name: str = "Sandbox Account"
    tenant_uid: str = "sandbox0ctulvdx7"
    data_center: str = "us-1"

    def __post_init__(self) -> None:
        for name, value in _STRICT.items() if self.strict else ():
            object.__setattr__(self, name, value)
        for name, kind in _CHOICES.items():
            object.__setattr__(self, name, choice(kind, getattr(self, name), name))
        if isinstance(self.tokens, str) or not all(self.tokens):
            raise ConfigurationError("tokens must be a sequence of API tokens, none of them empty")
        if isinstance(self.allowed_hosts, str):
            raise ConfigurationError("allowed_hosts must be a sequence of host names, without ports")
        if self.requests_per_second is not None and self.requests_per_second <= 0:
            raise ConfigurationError("requests_per_second must be above 0, or None for no limit")
