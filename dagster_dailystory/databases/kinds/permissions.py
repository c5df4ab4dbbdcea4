"""PostgreSQL's permissions, checked before any work begins; errors contain the GRANT to run."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, text

from dagster_dailystory.errors import StateError

_NEEDED = ("SELECT", "INSERT", "UPDATE", "DELETE")

_DATABASE = text(
    "SELECT current_database() AS database, current_user AS role, coalesce(:schema, current_schema()) AS schema,"
    " has_database_privilege(current_database(), 'TEMPORARY') AS may_make_temporary"
)

_SCHEMA = text(
    "SELECT has_schema_privilege(oid, 'USAGE') AS may_use, has_schema_privilege(oid, 'CREATE') AS may_create"
    " FROM pg_catalog.pg_namespace WHERE nspname = :schema"
)

_TABLES = text(
    "SELECT relname AS name, "
    + ", ".join(f"has_table_privilege(c.oid, '{right}') AS may_{right.lower()}" for right in _NEEDED)
    + " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = :schema AND c.relname IN :names"
).bindparams(bindparam("names", expanding=True))


def check_grants(connection: Connection, schema: str | None, names: Sequence[str]) -> None:
    """Check that the role has the grants which the state needs.

    Args:
        connection: To the state, within a transaction.
        schema: Schema of the state tables; None for the connection's default.
        names: The state tables; missing ones have to be created.

    Raises:
        StateError: A grant is missing; the message contains the statement to run.
    """
    quote = connection.dialect.identifier_preparer.quote
    place = connection.execute(_DATABASE, {"schema": schema}).one()
    role = quote(place.role)
    if not place.may_make_temporary:
        raise _missing("make temporary tables", f"GRANT TEMPORARY ON DATABASE {quote(place.database)} TO {role}")
    rights = connection.execute(_SCHEMA, {"schema": place.schema}).one_or_none()
    if rights is None:
        raise StateError(
            "the state database has no schema of the search path; create it, or set state_schema to one that exists"
        )
    on_schema = f"ON SCHEMA {quote(place.schema)} TO {role}"
    if not rights.may_use:
        raise _missing("use the state's schema", f"GRANT USAGE, CREATE {on_schema}")
    tables = connection.execute(_TABLES, {"schema": place.schema, "names": names}).all()
    if len(tables) < len(names) and not rights.may_create:
        raise _missing("create the state's tables", f"GRANT CREATE {on_schema}")
    for table in tables:
        lacking = [right for right in _NEEDED if not getattr(table, f"may_{right.lower()}")]
        if lacking:
            name = f"{quote(place.schema)}.{quote(table.name)}"
            raise _missing(f"write {table.name}", f"GRANT {', '.join(lacking)} ON {name} TO {role}")


def _missing(action: str, remedy: str) -> StateError:
    return StateError(
        f"the state database does not let this role {action}; run {remedy}, or set state_url to another database"
    )
