"""The contacts on the pages of the sandbox: the list with its search, and one contact with all its fields."""

from __future__ import annotations

import json
from collections.abc import Mapping

from dagster_dailystory.model.contact_fields import CONTACT_FIELDS
from dagster_dailystory.sandbox.contacts import ContactStore
from dagster_dailystory.sandbox.page.frame import ROWS, chip, live, nothing, page_number, pager
from dagster_dailystory.sandbox.page.history import RequestHistory, identities
from dagster_dailystory.sandbox.page.markup import Markup, element, joined
from dagster_dailystory.sandbox.page.requests import contact_path, contact_requests
from dagster_dailystory.sandbox.records import BLANKS, Contact
from dagster_dailystory.sandbox.settings import JsonValue

_COLUMNS = ("Name, dsid", "Email, mobile", "Place", "Status", "Custom fields", "Changed (UTC)")
_OPT_OUTS = (
    ("optOutEmail", "opt-out: email"), ("optOutSms", "opt-out: SMS"),
    ("optOutPush", "opt-out: push"), ("optOutPhone", "opt-out: phone"),
)  # fmt: skip
_STATUS_KINDS = {"Active": "good", "0": "good", "Deleted": "bad", "100": "bad"}
_CHIPS = 8
_CHIP_CHARACTERS = 80


def contact_list(store: ContactStore, search: str, page: str) -> Markup:
    """Build the list of contacts, last changed first.

    Args:
        store: The contacts.
        search: A text to find; "" for all contacts.
        page: The number of the page, as it was asked for.
    """
    _, total = store.search(search, offset=0, limit=0)
    number = page_number(page, total)
    contacts, total = store.search(search, offset=(number - 1) * ROWS, limit=ROWS)
    query = {"search": search} if search.strip() else {}
    head = element("thead", element("tr", *(element("th", name, scope="col") for name in _COLUMNS)))
    if contacts:
        shown = element("table", head, element("tbody", *map(_row, contacts)), class_="contacts")
    elif search.strip():
        shown = nothing("No contact contains this text.")
    else:
        shown = nothing("No contact yet. Run a sync to create some.")
    parts = pager("/", query, number, total)
    return joined(
        element("div", element("h2", "Contacts"), _search_form(search), class_="head"),
        element(
            "p",
            "The search looks at dsids and at all values, custom fields included. A sync does not send the key of a "
            "row, unless one of its fields has the key: find the dsid of a key in ",
            element("code", "dailystory_NAME_contact_map"), ".", class_="note",
        ),
        live("list", parts, shown, parts if total > ROWS else ""),
    )  # fmt: skip


def _search_form(search: str) -> Markup:
    field = element(
        "input", id="search", type="search", name="search", value=search, autocomplete="off", spellcheck="false",
        placeholder="dsid, email, phone, any value", aria_label="Search contacts",
    )  # fmt: skip
    return element("form", field, element("button", "Search"), action="/", role="search")


def _row(contact: Contact) -> Markup:
    mobile, place, country = (str(contact[name] or "") for name in ("mobilePhone", "city", "country"))
    changed = str(contact["dateContactLastModified"])
    dsid = str(contact["dsId"])
    cells = [
        joined(element("a", _name(contact), href=contact_path(dsid)), element("small", dsid, class_="code")),
        joined(str(contact["email"] or "-"), element("small", mobile)),
        joined(place or country or "-", element("small", country if place else "")),
        joined(*_status(contact)),
        joined(*_custom_chips(contact["extendedProperties"])),
        joined(changed[11:19], element("small", changed[:10])),
    ]
    return element(
        "tr", *(element("td", cell, data_label=name) for name, cell in zip(_COLUMNS, cells, strict=True))
    )  # fmt: skip


def _name(contact: Contact) -> str:
    """The name of a contact, or what comes closest to one."""
    names = (contact["fullname"], contact["company"], contact["email"], contact["mobilePhone"])
    return next((str(name) for name in names if name), "(no name)")


def _status(contact: Contact) -> list[Markup]:
    status = str(contact["status"])
    flags = [chip(text, "warn") for name, text in _OPT_OUTS if contact[name]]
    return [chip(status, _STATUS_KINDS.get(status, "warn")), *flags]


def _custom_chips(custom: JsonValue) -> list[Markup]:
    """The first custom values; the page of the contact has all of them in full."""
    values = custom if isinstance(custom, dict) else {}
    chips = [chip(_beginning(f"{name}: {_text(value)}")) for name, value in list(values.items())[:_CHIPS]]
    return [*chips, chip(f"and {len(values) - _CHIPS} more")] if len(values) > _CHIPS else chips


def _beginning(text: str) -> str:
    return text if len(text) <= _CHIP_CHARACTERS else f"{text[: _CHIP_CHARACTERS - 1]}…"


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def contact_detail(contact: Contact, history: RequestHistory) -> Markup:
    """Build the page of one contact: all its fields, and its requests in order."""
    custom = contact["extendedProperties"]
    written = {name: contact[name] for name in CONTACT_FIELDS}
    values = {name: value for name, value in written.items() if value != BLANKS[name]}
    blank = {name: value for name, value in written.items() if name not in values}
    others = {
        name: value
        for name, value in contact.items()
        if name not in written and name not in ("extendedProperties", "dsId")
    }
    dsid = str(contact["dsId"])
    requests = history.about([dsid, *identities(contact["email"], contact["mobilePhone"])])
    return joined(
        element("p", element("a", "All contacts", href="/"), class_="back"),
        live(
            "list",
            element("div", element("h2", _name(contact)), element("p", *_status(contact)), class_="head"),
            _fields("Fields with a value", {"dsId": dsid, **values}),
            _fields("Custom fields (extendedProperties)", custom if isinstance(custom, dict) else {}),
            element("h3", f"Requests, in order ({len(requests):,})"),
            contact_requests(requests, history),
            _fields("Fields without a value", blank),
            _fields("Fields that only DailyStory fills", others),
        ),
    )  # fmt: skip


def _fields(title: str, fields: Mapping[str, JsonValue]) -> Markup:
    if not fields:
        return joined(element("h3", title), nothing("None."))
    shown = [element("div", element("dt", name), element("dd", _value(value))) for name, value in fields.items()]
    return joined(element("h3", title), element("dl", *shown, class_="fields"))


def _value(value: JsonValue) -> Markup:
    if value == "":
        return element("span", "empty", class_="blank")
    if value is None or value is False or value == 0:
        return element("span", _text(value), class_="blank")
    return element("span", _text(value))
