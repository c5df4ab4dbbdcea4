"""The documented API paths of the sandbox, on top of its contact store and without HTTP."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from urllib.parse import unquote

from dagster_dailystory.sandbox.contacts import ContactStore, Write
from dagster_dailystory.sandbox.replies import Counts, Reply, decode_json, envelope, error
from dagster_dailystory.sandbox.settings import AboutShape, ImportForm, JsonValue, NotFound
from dagster_dailystory.sandbox.writes import Refused

_PATHS = frozenset({"/contact/upsert", "/contact/import", "/contact/optout/email"})


def is_authorized(header: str, tokens: Sequence[str]) -> bool:
    """Check an Authorization header: a bearer token, or Basic with the user `api` and a token as password."""
    scheme, _, credentials = header.partition(" ")
    if scheme.casefold() == "bearer":
        return credentials.strip() in tokens
    if scheme.casefold() != "basic":
        return False
    try:
        user, _, password = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return False
    return user == "api" and password in tokens


def normal_path(path: str) -> str:
    """Convert a path to its documented case, without a trailing slash (U27); a dsid keeps its case."""
    folded = path.rstrip("/").casefold()
    if folded in _PATHS or not folded.startswith(("/contact/", "/_unverified/contact/")):
        return folded
    return path.rstrip("/") if path.startswith("/_") else "/contact/" + path.rstrip("/")[len("/contact/") :]


def _read_payload(body: bytes) -> JsonValue:
    try:
        return decode_json(body)
    except ValueError:
        raise Refused("The body is not valid JSON") from None


def _records(payload: JsonValue) -> list[Mapping[str, JsonValue]]:
    items = payload if isinstance(payload, list) else [payload]
    records: list[Mapping[str, JsonValue]] = [item for item in items if isinstance(item, dict)]
    if len(records) < len(items):
        raise Refused("Every record must be a JSON object")
    return records


def _custom(contact: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    custom = contact["extendedProperties"]
    return custom if isinstance(custom, dict) else {}


class SandboxApi:
    """Handles API requests, one at a time.

    Attributes:
        counts: Requests so far, by kind and result.
    """

    def __init__(self, store: ContactStore) -> None:
        self.counts = Counts()
        self._store = store

    def handle(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Reply:
        """Handle one request; `path` is the percent-encoded path after /api/v1."""
        try:
            if path == "/contact":
                return self._contact(method, query, body)
            if path.startswith("/contact/"):
                return self._below_contact(method, path[len("/contact/") :], query, body)
            return self._outside_contact(method, path)
        except Refused as refused:
            return self._refusal(refused)

    def _contact(self, method: str, query: Mapping[str, str], body: bytes) -> Reply:
        if method == "GET":
            return self._look_up(query)
        if method != "POST":
            return self._wrong_method(method)
        payload = _read_payload(body)
        if not isinstance(payload, dict):
            raise Refused("The body must be one JSON object")
        write = self._store.write(payload)
        return self._write_reply(write, {"id": write.dsid}, tuple(payload))

    def _below_contact(self, method: str, rest: str, query: Mapping[str, str], body: bytes) -> Reply:
        if rest == "upsert" and method in ("GET", "POST"):
            return self._upsert(query)
        if rest == "import" and method == "POST":
            return self._import(body)
        if rest == "optout/email" and method == "POST":
            self._store.opt_out_email(_records(_read_payload(body)))
            return self._ok({})
        if not rest or "/" in rest:
            return self._unknown_path()
        if method == "GET":
            return self._contact_reply(self._store.read(unquote(rest)))
        if method == "DELETE":
            try:
                return self._write_reply(self._store.delete(unquote(rest)), {})
            except Refused:
                return self._not_found()
        return self._wrong_method(method)

    def _look_up(self, query: Mapping[str, str]) -> Reply:
        email, mobile = query.get("email", ""), query.get("mobilephone", "")
        if not email and not mobile:
            return error(self._store.settings, 400, "A dsid, an email or a mobilephone is required")
        return self._contact_reply(self._store.look_up(email, mobile))

    def _upsert(self, query: Mapping[str, str]) -> Reply:
        found = self._store.find_or_create(query.get("email", ""), query.get("mobilephone", ""))
        if isinstance(found, Write):
            return self._write_reply(found, {"id": found.dsid})
        return replace(self._ok({"id": found}), dsid=found)

    def _import(self, body: bytes) -> Reply:
        form = self._store.settings.import_form
        if form is ImportForm.GONE:
            return self._unknown_path()
        payload = _read_payload(body)
        if isinstance(payload, list) and form is ImportForm.OBJECT:
            raise Refused("The body must be one JSON object")
        self._store.enqueue(_records(payload))
        return self._ok({})

    def _contact_reply(self, contact: dict[str, JsonValue] | None) -> Reply:
        if contact is None:
            return self._not_found()
        return replace(self._ok({"contact": contact, "id": contact["dsId"]}), dsid=str(contact["dsId"]))

    def _not_found(self) -> Reply:
        self.counts.not_found += 1
        settings = self._store.settings
        if settings.not_found is NotFound.NULL_CONTACT:
            return self._ok({"contact": None})
        if settings.not_found is NotFound.EMPTY_CONTACT:
            return self._ok({"contact": {}})
        status = {NotFound.STATUS_400: 400, NotFound.STATUS_FALSE: 200}.get(settings.not_found, 404)
        return error(settings, status, "Contact not found")

    def _refusal(self, refused: Refused) -> Reply:
        self.counts.refused += 1
        settings = self._store.settings
        return error(settings, 404 if refused.unknown else settings.refusal_status, str(refused))

    def _write_reply(self, write: Write, response: JsonValue, keys: tuple[str, ...] = ()) -> Reply:
        if write.operation == "create":
            self.counts.creates += 1
        elif write.operation == "update":
            self.counts.updates += 1
        else:
            self.counts.deleted += 1
        return replace(self._ok(response), dsid=write.dsid, keys=keys)

    def _ok(self, response: JsonValue) -> Reply:
        return envelope(self._store.settings, response)

    def _unknown_path(self) -> Reply:
        return error(self._store.settings, 404, "No such resource")

    def _wrong_method(self, method: str) -> Reply:
        reply = error(self._store.settings, 405, f"{method} is not supported here")
        return replace(reply, headers=(("Allow", "GET, POST, DELETE"),))

    def _outside_contact(self, method: str, path: str) -> Reply:
        parts = path.split("/")[1:]
        if parts in (["about"], ["segments"]) and method != "GET":
            return self._wrong_method(method)
        if method != "GET":
            return self._unknown_path()
        match parts:
            case ["about"]:
                return self._about()
            case ["segments"]:
                return self._ok({"segments": [self._segment()]})
            case ["segment", "1", "members"]:
                return self._ok({"contacts": [contact["dsId"] for contact in self._members()]})
            case ["_unverified", "custom-contact-fields"]:
                return self._custom_fields()
            case ["_unverified", "contact", dsid, "custom-fields"]:
                return self._custom_values(unquote(dsid))
        return self._unknown_path()

    def _members(self) -> list[dict[str, JsonValue]]:
        """List the contacts in a segment: only active ones, according to the help pages."""
        active = ("Active", 0)
        return [contact for contact in self._store.contacts() if contact["status"] in active]

    def _segment(self) -> JsonValue:
        members = len(self._members())
        return {
            "id": 1, "tenantid": 112, "name": "All contacts", "segmentType": "Dynamic", "total_members": members,
        }  # fmt: skip

    def _custom_fields(self) -> Reply:
        names = sorted({name for contact in self._store.contacts() for name in _custom(contact)})
        return self._ok({"graph": [{"id": i, "name": name, "apiname": name} for i, name in enumerate(names, 1)]})

    def _custom_values(self, dsid: str) -> Reply:
        contact = self._store.read(dsid)
        if contact is None:
            return self._not_found()
        values = [{"name": name, "api_name": name, "value": value} for name, value in _custom(contact).items()]
        return self._ok({"graph": [item for item in values if item["value"] != ""]})

    def _about(self) -> Reply:
        settings = self._store.settings
        flat: dict[str, JsonValue] = {
            "timestamp": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "tenant": settings.tenant_name, "uid": settings.tenant_uid, "dataCenter": settings.data_center,
        }  # fmt: skip
        if settings.about_shape is AboutShape.FLAT_2019:
            return self._ok(flat)
        if settings.about_shape is AboutShape.NAMELESS:
            return self._ok({"timestamp": flat["timestamp"]})
        if settings.about_shape is AboutShape.TEXT:
            return replace(self._ok({}), body=b"ok")
        if settings.about_shape is AboutShape.FORBIDDEN:
            return replace(self._ok({}), status=403)
        if settings.about_shape is AboutShape.BARE:
            return replace(self._ok({}), body=json.dumps(flat).encode())
        tenant: dict[str, JsonValue] = {
            "Id": 112, "ParentId": 0, "Name": settings.tenant_name, "TenantUID": settings.tenant_uid,
            "DataCenter": settings.data_center, "Status": 0, "IsWhiteLabel": False, "IsStagingEnvironment": True,
            "Settings": {"Timezone": "America/Chicago"},
        }  # fmt: skip
        return self._ok({"tenant": tenant})
