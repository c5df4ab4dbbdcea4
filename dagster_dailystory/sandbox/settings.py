"""How the sandbox behaves where DailyStory's documentation is silent: one switch for each unknown.

The numbers U1 to U30 name those unknowns; the defaults are the documented, else the most plausible, behaviour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.model.sync import choice
from dagster_dailystory.sandbox.faults import FaultShares, RateLimit

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
"""Anything that JSON can say."""


DEFAULT_TOKEN = "sandbox-token-us-1"
"""The token of a sandbox that is given none; it opens nothing else."""


class RetryAfter(str, Enum):
    """How a throttled answer names the wait (U1)."""

    NONE = "none"
    SECONDS = "seconds"
    DATE = "date"


class ImportForm(str, Enum):
    """Which bodies /contact/import takes (U3)."""

    OBJECT = "object"
    OBJECT_OR_ARRAY = "object_or_array"
    GONE = "gone"


class Blank(str, Enum):
    """What null or "" does to a field (U5)."""

    KEEP = "keep"
    CLEAR = "clear"
    REFUSE = "refuse"


class CustomTypes(str, Enum):
    """What happens to a custom value that is not a string (U8)."""

    TEXT = "text"
    RAW = "raw"
    REFUSE = "refuse"


class MatchOrder(str, Enum):
    """Which of several contacts with one email or number is the first match (U9)."""

    INSERTION = "insertion"
    ARBITRARY = "arbitrary"


class IdentityTaken(str, Enum):
    """What an update does whose new email or number belongs to another contact (U10)."""

    DUPLICATE = "duplicate"
    MOVE = "move"
    MERGE = "merge"
    REFUSE = "refuse"


class UnknownDsid(str, Enum):
    """What a POST with an unknown dsId does (U11)."""

    REFUSE = "refuse"
    CREATE = "create"


class NotFound(str, Enum):
    """How a GET says that there is no such contact (U12)."""

    STATUS_404 = "404"
    STATUS_400 = "400"
    STATUS_FALSE = "status_false"
    NULL_CONTACT = "null_contact"
    EMPTY_CONTACT = "empty_contact"


class Revival(str, Enum):
    """Which writes make a Deleted or Inactive contact Active again (U17)."""

    NEVER = "never"
    EMAIL_CHANGE = "email_change"
    ANY_WRITE = "any_write"


class LongValue(str, Enum):
    """What happens to a text above `max_value_length` (U18)."""

    REFUSE = "refuse"
    CUT = "cut"


class ErrorBody(str, Enum):
    """What the body of an error holds (U20)."""

    ENVELOPE = "envelope"
    HTML = "html"
    EMPTY = "empty"


class BirthDateName(str, Enum):
    """Which key sets the date of birth (U24); it is read as `dateBirth` always."""

    BOTH = "both"
    DATE_BIRTH = "dateBirth"
    DATE_OF_BIRTH = "dateOfBirth"


class WrongHost(str, Enum):
    """How the host answers if it is not the account's data centre (U28)."""

    NO = "no"
    MOVED_301 = "301"
    FOUND_302 = "302"
    UNAUTHORIZED = "401"


class AboutShape(str, Enum):
    """Which documented form /about has (section on About; U14)."""

    FLAT_2019 = "2019"
    TENANT_2025 = "2025"
    BARE = "bare"


class MergedDsid(str, Enum):
    """What the dsid of a merged-away contact leads to (U30)."""

    ABSENT = "absent"
    KEPT = "kept"


_CHOICES: Mapping[str, type[Enum]] = {
    "rate_limit": RateLimit, "retry_after": RetryAfter, "import_form": ImportForm, "null_value": Blank,
    "empty_value": Blank, "custom_types": CustomTypes, "match_order": MatchOrder, "identity_taken": IdentityTaken,
    "unknown_dsid": UnknownDsid, "not_found": NotFound, "revival": Revival, "long_value": LongValue,
    "error_body": ErrorBody, "birth_date_name": BirthDateName, "wrong_host": WrongHost, "about_shape": AboutShape,
    "merged_dsid": MergedDsid,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxSettings:
    """Say how this sandbox answers. An enum's value may be given as its text: `not_found="400"`.

    Always on, because nothing speaks against it: both verbs of /contact/upsert (U13), placeholders for the custom
    field lists (U14), status as word or number (U15), times without a zone (U23). Webhooks (U25) are not sent.

    Attributes:
        tokens: Every valid API token; two during a rotation (U29).
        latency_seconds: Wait before each API answer (U2).
        slow_seconds: How much later `Fault.SLOW` answers (U2).
        faults: Random failures by share (U1, U2, U20).
        refuse_if: Called with each posted body; a text refuses that contact with this message (U20).
        requests_per_second: Requests above this rate get 429; None: no limit (U1).
        rate_limit: How they are counted (U1).
        rate_window_seconds: Length of a window, or how many seconds of unused rate a bucket holds (U1).
        retry_after: Whether and how a throttled answer names the wait (U1).
        retry_after_seconds: The wait that a throttling fault names, in whole seconds (U1).
        throttle_status: 429, or 503 (U1).
        import_form: Which bodies /contact/import takes (U3).
        import_delay_seconds: Imported contacts appear this much later (U4).
        absent_clears: A field left out of an update is emptied (U5).
        null_value: What null does to a field (U5).
        empty_value: What "" does to a field (U5).
        empty_custom_removes: "" removes a custom value, else it is stored (U6).
        null_custom_removes: null removes a custom value, else it is ignored (U6).
        extended_properties_replace: The sent custom values replace all stored ones, else they merge (U7).
        custom_types: What happens to a custom value that is not a string (U8).
        duplicates_allowed: A POST without dsId always creates, even where the email is known (U9).
        email_case_matters: Emails match with their case (U9).
        match_order: Which of several matches comes first (U9).
        identity_taken: An update takes the email or number of another contact (U10).
        unknown_dsid: What a POST with an unknown dsId does (U11).
        not_found: How a GET says that there is no such contact (U12).
        status_as_number: 0 and 100 instead of Active and Deleted when read (U15).
        false_opts_in: An opt-out flag sent as false opts the person back in, else it is ignored (U16).
        revival: Which writes make a Deleted or Inactive contact Active (U17).
        deleted_readable: GET still finds a deleted contact (U12, U17).
        deleted_matched: A POST with a deleted contact's email updates it, else a second contact is made (U17).
        max_value_length: Longest accepted text in characters; None: no limit (U18).
        long_value: What happens to a longer one (U18).
        bad_identity_refused: 400 for an invalid email, or a number below 10 digits; else it is stored (U18).
        proper_case: Texts are stored With Capitals, as the import once did (U19).
        phones_reformatted: Mobile numbers are stored as `+1 (555) 714-0059` (U19).
        error_body: What the body of an error holds (U20).
        refusal_status: HTTP status of a refused contact: 400, 422, or 200 with `Status: false` (U20, U21).
        unauthorized_status: HTTP status for a bad token: 401 or 403 (U20).
        envelope_has_code: Each envelope repeats the HTTP status as `Code`, as before 2020 (U20).
        contact_quota: Creates above this many Active contacts are refused; None: no limit (U21).
        lookup_lag_seconds: A new email or number is found by GET only this much later (U22).
        gender_as_number: `gender` is read as 0 (unset) or 10 (U24).
        birth_date_name: Which key sets the date of birth (U24).
        max_body_bytes: Larger bodies get 413; None: no limit (U26).
        strict_paths: Paths and keys must be spelt exactly as documented (U27).
        wrong_host: How the host answers if it is not the account's data centre (U28).
        redirect_to: The base URL that such a redirect names (U28).
        merged_dsid: What the dsid of a merged-away contact leads to (U30).
        about_shape: Which documented form /about has (U14).
        tenant_name: The account's name in /about.
        tenant_uid: The account's id in /about.
        data_center: The data centre in /about.
    """

    tokens: tuple[str, ...] = field(default=(DEFAULT_TOKEN,), repr=False)
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
    duplicates_allowed: bool = False
    email_case_matters: bool = False
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
    max_body_bytes: int | None = None
    strict_paths: bool = False
    wrong_host: WrongHost = WrongHost.NO
    redirect_to: str = "https://uk-3.dailystory.invalid/api/v1"
    merged_dsid: MergedDsid = MergedDsid.ABSENT
    about_shape: AboutShape = AboutShape.FLAT_2019
    tenant_name: str = "Sandbox Account"
    tenant_uid: str = "sandbox0ctulvdx7"
    data_center: str = "us-1"

    def __post_init__(self) -> None:
        for name, kind in _CHOICES.items():
            object.__setattr__(self, name, choice(kind, getattr(self, name), name))
        if isinstance(self.tokens, str) or not self.tokens or not all(self.tokens):
            raise ConfigurationError("tokens must be a sequence of at least one API token, none of them empty")
        if self.requests_per_second is not None and self.requests_per_second <= 0:
            raise ConfigurationError("requests_per_second must be above 0, or None for no limit")
