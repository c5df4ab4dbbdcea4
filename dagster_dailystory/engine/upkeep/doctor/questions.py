"""The questions about DailyStory that its documentation leaves open: one entry for each, with its answers.

The report of an examination and the table in docs/explanation/service.md are made from them. The order is that of the
trials: those that may merge or delete a test contact come last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dagster_dailystory.engine.upkeep.doctor import identities, values
from dagster_dailystory.engine.upkeep.doctor.bench import Bench


@dataclass(frozen=True)
class Answer:
    """One way in which DailyStory may behave.

    Attributes:
        name: The answer.
        meaning: What was seen.
        is_assumed: Whether what this package does is right for it.
        advice: What to choose; empty if nothing is to be chosen.
        sandbox: Settings of the sandbox that make it behave like this; empty if it cannot.
    """

    name: str
    meaning: str
    is_assumed: bool
    advice: str
    sandbox: Mapping[str, object]


@dataclass(frozen=True)
class Question:
    """One open question.

    Attributes:
        number: Its number in docs/explanation/service.md.
        name: What it is about.
        assumed: What this package does.
        trial: Finds the answer out, on test contacts.
        answers: The possible answers.
    """

    number: str
    name: str
    assumed: str
    trial: Callable[[Bench], str]
    answers: tuple[Answer, ...]

    def answer(self, name: str) -> Answer | None:
        """The answer with this name, None if it is not among those that are known."""
        return next((each for each in self.answers if each.name == name), None)


def _good(name: str, meaning: str, advice: str = "", **sandbox: object) -> Answer:
    return Answer(name, meaning, True, advice, sandbox)


def _bad(name: str, meaning: str, advice: str, **sandbox: object) -> Answer:
    return Answer(name, meaning, False, advice, sandbox)


_NO_CLEAR = "leave nulls at 'keep'"

_RUN_LATER = "after a run that was killed, wait that long before the next one"

_KEEP_LENGTH = "leave max_value_length at 255 or less"

_SHORTER = "map shorter texts, and lower max_value_length: longer values are rejected by this package, and named"

QUESTIONS: tuple[Question, ...] = (
    Question(
        "U22", "time until a look-up finds a new contact", "a look-up without a result means that there is no contact",
        identities.look_up_lag,
        (
            _good("at_once", "the first look-up finds it", lookup_lag_seconds=0.0),
            _bad("late", "later look-ups find it", _RUN_LATER, lookup_lag_seconds=0.15),
            _bad("never", "no look-up of a minute finds it", "ask DailyStory; a killed run may create contacts twice"),
        ),
    ),
    Question(
        "U5", "fields that an update leaves out", "an omitted field keeps its value",
        values.fields_left_out,
        (
            _good("kept", "they keep their values", absent_clears=False),
            _bad("cleared", "they are emptied", "do not run: each update would empty the fields that it does not send",
                 absent_clears=True),
        ),
    ),
    Question(
        "U5", "empty texts", "`\"\"` is sent only with nulls='clear', to empty a field",
        values.empty_texts,
        (
            _good("cleared", "they empty the field", empty_value="clear"),
            _bad("kept", "they change nothing", _NO_CLEAR, empty_value="keep"),
            _bad("refused", "they are refused", _NO_CLEAR, empty_value="refuse"),
        ),
    ),
    Question(
        "U6", "empty custom values", "`\"\"` is sent only with nulls='clear', to empty a custom field",
        values.empty_custom_values,
        (
            _good("removed", "they remove the value", empty_custom_removes=True),
            _good("emptied", "an empty text is stored", empty_custom_removes=False),
            _bad("kept", "they change nothing", f"{_NO_CLEAR} for custom fields"),
            _bad("refused", "they are refused", f"{_NO_CLEAR} for custom fields"),
        ),
    ),
    Question(
        "U7", "custom values that an update leaves out", "if one custom field differs, all mapped ones are sent",
        values.custom_values_left_out,
        (
            _good("kept", "an update without any keeps them", extended_properties_replace=False),
            _bad("removed", "they are removed", "map every custom field that must stay, in one sync for each contact",
                 extended_properties_replace=True),
        ),
    ),
    Question(
        "U8", "numbers in custom fields", "custom values are sent as texts only",
        values.numbers_in_custom_fields,
        (
            _good("as_text", "they become texts", custom_types="text"),
            _good("as_number", "they stay numbers", custom_types="raw"),
            _good("refused", "they are refused", custom_types="refuse"),
        ),
    ),
    Question(
        "U8", "dates and numbers", "dates are sent as YYYY-MM-DD, and numbers with all their digits",
        values.dates_and_numbers,
        (
            _good("as_sent", "they are read back as they were sent"),
            _bad("changed", "they are read back in another form", "the drift check reports them; do not repair"),
        ),
    ),
    Question(
        "U18", "texts of 255 characters", "a text has at most 255 characters",
        values.usual_lengths,
        (
            _good("stored", "they are stored", max_value_length=None),
            _bad("cut", "they are cut", _SHORTER, max_value_length=100, long_value="cut"),
            _bad("refused", "they are refused", _SHORTER, max_value_length=100, long_value="refuse"),
        ),
    ),
    Question(
        "U18, U26", "custom values of 10,000 characters", "they are sent only if max_value_length allows it",
        values.great_lengths,
        (
            _good("stored", "they are stored", "max_value_length may be higher than 255"),
            _good("cut", "they are cut", _KEEP_LENGTH, max_value_length=300, long_value="cut"),
            _good("refused", "they are refused", _KEEP_LENGTH, max_value_length=300, long_value="refuse"),
            _good("too_large", "the request is too large", _KEEP_LENGTH, max_body_bytes=8_000),
        ),
    ),
    Question(
        "U19", "letter case of texts", "the diff compares with what was sent, not with what is read back",
        values.letter_case,
        (
            _good("kept", "it stays as it was sent", proper_case=False),
            _good("changed", "it is changed", "DailyStory shows texts in another case than the source",
                  proper_case=True),
        ),
    ),
    Question(
        "U19", "format of mobile numbers", "numbers are sent as +14155552671, and compared by their digits",
        identities.numbers_read_back,
        (
            _good("as_sent", "it stays as it was sent", phones_reformatted=False),
            _good("changed", "it is changed", phones_reformatted=True),
        ),
    ),
    Question(
        "U15", "the form of a status", "a word and a number are understood",
        values.names_of_statuses,
        (
            _good("word", "it is read back as a word", status_as_number=False),
            _good("number", "it is read back as a number", status_as_number=True),
        ),
    ),
    Question(
        "U16", "opt-outs that are sent as false", "false is never sent, unless consent_override names the field",
        values.false_opt_outs,
        (
            _good("opted_in", "they opt the contact in again", false_opts_in=True),
            _good("ignored", "they change nothing", "leave consent_override empty: it has no effect on opt-outs",
                  false_opts_in=False),
            _good("refused", "they are refused", "leave consent_override empty: it has no effect on opt-outs"),
            _bad("no_opt_out", "true does not opt the contact out", "do not rely on opt-outs; ask DailyStory"),
        ),
    ),
    Question(
        "U23", "the time zone of a contact's times", "they decide nothing",
        values.time_zone,
        (
            _good("utc", "they are in UTC and do not say so"),
            _good("named", "they name their zone"),
            _good("other", "they are in another zone than UTC and do not say so"),
        ),
    ),
    Question(
        "U24", "the form of a gender", "a text is sent",
        values.genders,
        (
            _good("as_sent", "it is read back as it was sent", gender_as_number=False),
            _bad("number", "it is read back as a number", "the drift check reports it; do not map gender, or do not "
                 "repair", gender_as_number=True),
            _bad("changed", "it is read back as another text", "do not map gender"),
            _bad("refused", "it is refused", "do not map gender"),
        ),
    ),
    Question(
        "U24", "the name of the date of birth", "it is sent as `dateBirth`",
        values.dates_of_birth,
        (
            _good("both", "`dateBirth` and `dateOfBirth` set it", birth_date_name="both"),
            _good("dateBirth", "`dateBirth` alone sets it", birth_date_name="dateBirth"),
            _bad("dateOfBirth", "`dateOfBirth` alone sets it", "do not map dateBirth", birth_date_name="dateOfBirth"),
            _bad("none", "neither `dateBirth` nor `dateOfBirth` sets it", "do not map dateBirth"),
        ),
    ),
    Question(
        "U27", "the letter case of field names", "names are sent exactly as they are documented",
        values.case_of_names,
        (
            _good("any_case", "it does not matter", strict_paths=False),
            _good("exact", "it matters", strict_paths=True),
        ),
    ),
    Question(
        "U12", "the response for a missing contact", "each of these forms means that the contact is missing",
        identities.missing_contacts,
        (
            _good("404", "404", not_found="404"),
            _good("400", "400", not_found="400"),
            _good("status_false", "200 with `Status: false`", not_found="status_false"),
            _good("null_contact", "200 without a contact", not_found="null_contact"),
            _good("empty_contact", "200 with an empty contact", not_found="empty_contact"),
            _bad("other", "another status", "run with few rows first (limit=10), and report this as a bug"),
        ),
    ),
    Question(
        "U20", "the status of a refusal", "a refusal is any 4xx, or 200 with `Status: false`",
        identities.refusals,
        (
            _good("400", "400", refusal_status=400),
            _good("422", "422", refusal_status=422),
            _good("200", "200 with `Status: false`", refusal_status=200),
            _good("other", "another 4xx"),
        ),
    ),
    Question(
        "U20", "the body of a refusal", "any body is accepted; the message of an envelope is shown, masked",
        identities.bodies_of_refusals,
        (
            _good("envelope", "an envelope with a message", error_body="envelope"),
            _good("html", "a page", "refused rows have no explanation", error_body="html"),
            _good("text", "a text that is not JSON", "refused rows have no explanation"),
            _good("empty", "none", "refused rows have no explanation", error_body="empty"),
        ),
    ),
    Question(
        "U20", "the key `Code` of a response", "it is not read",
        identities.codes,
        (
            _good("left_out", "responses do not have it", envelope_has_code=False),
            _good("repeated", "it repeats the HTTP status", envelope_has_code=True),
        ),
    ),
    Question(
        "U9", "letter case of an email that is looked up", "look-ups use the address as it was sent, then others",
        identities.case_of_emails,
        (
            _good("any_case", "it does not matter", email_case_matters=False),
            _good("exact", "it matters", "write addresses in one letter case in the source", email_case_matters=True),
        ),
    ),
    Question(
        "U9", "format of a mobile number that is looked up", "look-ups use the number as it was sent",
        identities.formats_of_numbers,
        (
            _good("any_format", "it does not matter", phone_format_matters=False),
            _good("exact", "it matters", "contacts that have a number in another format are not found by it: map email "
                  "too", phone_format_matters=True),
        ),
    ),
    Question(
        "U18", "mobile numbers that are too short", "they are rejected before anything is sent",
        identities.short_numbers,
        (
            _good("refused", "they are not stored", bad_identity_refused=True),
            _good("stored", "they are stored", bad_identity_refused=False),
        ),
    ),
    Question(
        "U9", "a second create with the same email", "rows with one email are rejected; lost creates are looked up",
        identities.second_creates,
        (
            _good("updated", "it updates the contact", duplicates_allowed=False),
            _good("duplicated", "it makes another contact", "only this package, or one sync, should create contacts",
                  duplicates_allowed=True),
        ),
    ),
    Question(
        "U17", "writes to inactive contacts", "they may make the contact active",
        identities.inactive_contacts,
        (
            _good("none", "it stays inactive", revival="never"),
            _bad("email_change", "another email makes it active", "leave contacts that people made inactive out of the "
                 "source", revival="email_change"),
            _bad("any_write", "any write makes it active", "leave contacts that people made inactive out of the source",
                 revival="any_write"),
        ),
    ),
    Question(
        "U10", "an update with the email of another contact", "it is looked up before, and not sent (`identity_taken`)",
        identities.taken_emails,
        (
            _good("refused", "it is refused", identity_taken="refuse"),
            _good("shared", "both contacts have it", identity_taken="duplicate"),
            _good("moved", "the other contact loses it", identity_taken="move"),
            _good("merged", "the other contact is merged into it", identity_taken="merge"),
        ),
    ),
    Question(
        "U30", "the id of a merged contact", "it counts as unknown, and the contact is looked up",
        identities.merged_contacts,
        (
            _good("absent", "it leads to no contact", identity_taken="merge", merged_dsid="absent"),
            _good("kept", "it leads to the contact that was kept", identity_taken="merge", merged_dsid="kept"),
            _good("not_merged", "a request merges no contacts; a person can", identity_taken="duplicate"),
        ),
    ),
    Question(
        "U9", "the match among contacts with one email", "none is preferred",
        identities.first_matches,
        (
            _good("oldest", "the oldest contact", duplicates_allowed=True, match_order="insertion"),
            _good("another", "always the same one, and not the oldest"),
            _good("changing", "now this one, now that one", "merge contacts with one email in DailyStory",
                  duplicates_allowed=True, match_order="arbitrary"),
            _good("unique", "two contacts cannot have one email", identity_taken="refuse"),
        ),
    ),
    Question(
        "U11", "a write to an unknown id", "it acknowledges nothing: the contact is looked up by its identity",
        identities.unknown_ids,
        (
            _good("refused", "it is refused", unknown_dsid="refuse"),
            _good("created", "it makes a contact", unknown_dsid="create"),
        ),
    ),
    Question(
        "U12, U17", "deleted contacts", "a deleted contact is held, unless on_deleted='reactivate'",
        identities.deleted_contacts,
        (
            _good("readable", "they can be read, with the status Deleted", deleted_readable=True),
            _good("absent", "they cannot be read", "on_deleted has no effect: they count as missing",
                  deleted_readable=False),
            _bad("not_deleted", "they keep their status", "leave deletes at 'keep', or set it to 'deactivate'"),
        ),
    ),
    Question(
        "U17", "a create with the email of a deleted contact", "a new row is sent without a look-up",
        identities.creates_of_deleted,
        (
            _good("updated", "it updates the deleted contact, which stays deleted",
                  "the drift check names such contacts", deleted_matched=True),
            _good("created", "it makes a contact", deleted_matched=False),
            _bad("revived", "it makes the deleted contact active", "leave contacts that people deleted out of the "
                 "source", deleted_matched=True, revival="any_write"),
        ),
    ),
)  # fmt: skip

UNASKED: Mapping[str, str] = {
    "U1": "trying the rate out would disturb the account; set `requests_per_second`",
    "U2": "a lost response cannot be caused",
    "U3, U4": "the import is not used",
    "U5, U6 (null)": "null is never sent",
    "U13": "the call is not used",
    "U14": "an examination reads `/about` as every run does",
    "U20 (401, 5xx)": "a wrong token would alarm the account's owner, and other errors cannot be caused",
    "U21": "it would need as many contacts as the account may have",
    "U25": "webhooks are not used",
    "U28": "an examination names a redirect to another host",
    "U29": "other tokens are not ours to make",
}
"""The questions that are not tried out, and why."""
