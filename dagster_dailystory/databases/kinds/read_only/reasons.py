"""Why a database cannot hold the state."""

SLOW = "each acknowledgement would be a separate query there, which takes a second and is billed"

NO_TRANSACTIONS = "it has no transactions, so an acknowledgement could be half written"
