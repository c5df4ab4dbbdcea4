"""A row as a contact: values, identity, validity, consent, payload."""
