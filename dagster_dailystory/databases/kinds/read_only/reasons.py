"""Why a database cannot hold the state, or cannot hash a column."""

SLOW = "each acknowledgement would be a separate query there, which takes a second and is billed"

NO_TRANSACTIONS = "it has no transactions, so an acknowledgement could be half written"


def cannot_hash(title: str, kind: str) -> str:
    """Why a row with a column of a type has no hash."""
    return f"{title} cannot hash {kind} columns exactly"
