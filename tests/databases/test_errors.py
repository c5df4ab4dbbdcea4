"""Promise 11 in database errors: values from rows are removed, names from the query are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from dagster_dailystory.databases.connect import driver_errors_as, open_engine, safe_message
from dagster_dailystory.errors import WarehouseError

PEOPLE = ("Jane Doe", 'O\'Jane "Q" Doe', "Jane\nDoe", "Jane\nLINE 1: Doe", "J. when casting from source column Doe")


@pytest.fixture
def message_of(warehouse_url: str) -> Iterator[Callable[[str], str]]:
    """Run a query on a real database, once per name in `PEOPLE`; return the message for the first."""
    engine = open_engine(warehouse_url)
    with engine.begin() as connection:
        for number, name in enumerate(PEOPLE):
            connection.exec_driver_sql(f"CREATE TABLE people{number} (id INTEGER, name VARCHAR(99))")
            connection.execute(sa.text(f"INSERT INTO people{number} VALUES (1, :name)"), {"name": name})

    with engine.connect() as connection:

        def message(query: str, number: int) -> str:
            with pytest.raises(WarehouseError) as caught, driver_errors_as("it"), connection.begin():
                list(connection.exec_driver_sql(query.replace("FROM people", f"FROM people{number}")))
            return str(caught.value).removeprefix("it: ")

        def run(query: str) -> str:
            messages = [message(query, number) for number in range(len(PEOPLE))]
            assert not [each for each in messages if any(part in each for part in ("Jane", "Doe", "J."))]
            return messages[0]

        yield run


@pytest.mark.parametrize("engine_name", ["duckdb"])
def test_duckdb_names_the_column_and_not_the_value(message_of: Callable[[str], str]) -> None:
    assert message_of("SELECT CAST(name AS INTEGER) FROM people") == (
        "Conversion Error: Could not convert string [value] to INT32 when casting from source column name"
    )
    assert message_of("SELECT CAST(name AS DATE) FROM people") == "Conversion Error: invalid date field format: [value]"
    assert (
        message_of("SELECT strptime(name, '%Y') FROM people") == "Invalid Input Error: Could not parse string [value]"
    )
    assert (
        message_of("SELECT json(name) FROM people") == "Invalid Input Error: Malformed JSON at byte 0 of input: [value]"
    )
    assert message_of("SELECT error(name) FROM people") == "Invalid Input Error: [value]"
    assert (
        message_of("SELECT regexp_matches('x', name || '(') FROM people") == "Invalid Input Error: missing ): [value]"
    )
    assert message_of("SELECT nme FROM people") == 'Binder Error: Referenced column "nme" not found in FROM clause!'
    assert message_of("SELECT * FROM persons").startswith("Catalog Error: Table with name persons does not exist!")


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_sqlite_names_the_column_and_not_the_value(message_of: Callable[[str], str]) -> None:
    assert message_of("SELECT json_extract('{}', name) FROM people") == "JSON path error near [value]"
    assert message_of("SELECT json(name) FROM people") == "malformed JSON"
    assert message_of("SELECT json_value FROM people") == "no such column: json_value"
    assert message_of("SELECT * FROM persons") == "no such table: persons"
    assert message_of("SELEC 1") == 'near "SELEC": syntax error'


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_postgresql_names_the_column_and_not_the_value(message_of: Callable[[str], str]) -> None:
    assert message_of("SELECT name::integer FROM people") == "invalid input syntax for type integer: [value]"
    assert message_of("SELECT to_tsquery(name || ' ' || name) FROM people") == "syntax error in tsquery: [value]"
    assert message_of("SELECT name::json FROM people") == "invalid input syntax for type json"
    assert message_of("SELECT nme FROM people") == 'column "nme" does not exist'
    assert message_of('SELECT * FROM "json values"') == 'relation "json values" does not exist'
    raising = "DO $$ BEGIN RAISE 'bad row: %', (SELECT name FROM people); END $$"
    assert message_of(raising.replace("%", "%%")) == "RaiseException"


def test_an_untranslated_error_hides_its_parameters(warehouse_url: str) -> None:
    with open_engine(warehouse_url).connect() as connection, pytest.raises(sa.exc.StatementError) as caught:
        connection.execute(sa.text("INSERT INTO nowhere VALUES (:name)"), [{"name": "Jane"}, {"name": "Doe"}])
    assert "Jane" not in f"{caught.value} {caught.value!r}"


def driver_error(kind: type[sa.exc.DBAPIError], *arguments: object) -> sa.exc.DBAPIError:
    return kind("select", {}, Exception(*arguments))


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (driver_error(sa.exc.OperationalError, 1292, "Incorrect datetime value: 'Jane' for column `a`.`b` at row 1"),
         "Incorrect datetime value: [value]"),
        (driver_error(sa.exc.OperationalError, 1054, "Unknown column 'nme' in 'SELECT'"),
         "Unknown column 'nme' in 'SELECT' (1054)"),
        (driver_error(sa.exc.IntegrityError, 1062, "Duplicate entry 'Jane' for key 'PRIMARY'"),
         "Duplicate entry [value]"),
        (driver_error(sa.exc.ProgrammingError, "000904 (42000): invalid identifier 'NME'"),
         "invalid identifier 'NME'"),
        (driver_error(sa.exc.ProgrammingError, "100038 (22018): Numeric value 'Jane' is not recognized"),
         "Numeric value [value]"),
        (driver_error(sa.exc.ProgrammingError, "TrinoUserError(name=INVALID_CAST_ARGUMENT, message=\"Cannot cast 'Al'"),
         "TrinoUserError(name=INVALID_CAST_ARGUMENT, message=[value]"),
        (driver_error(sa.exc.DatabaseError, "400 Bad int64 value: Jane"), "400 Bad int64 value: [value]"),
        (driver_error(sa.exc.DataError, "ungültige Eingabesyntax für Typ integer: »Jane Doe«"),
         "ungültige Eingabesyntax für Typ integer: [value]"),
        (driver_error(sa.exc.DataError, "division by zero"), "division by zero"),
        (driver_error(sa.exc.InterfaceError), "Exception"),
    ],
)  # fmt: skip
def test_messages_of_other_databases_lose_their_values(error: sa.exc.DBAPIError, message: str) -> None:
    """The messages are from the sources of drivers and servers."""
    assert safe_message(error) == message
