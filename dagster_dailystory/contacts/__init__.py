"""From a row to a contact: values, identity, validation, consent, payload. No I/O."""
