"""The API token of a sandbox that was given none: random, so that only those who see its start can use the API."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from dagster_dailystory.errors import ConfigurationError


def new_token() -> str:
    """Make a random API token, with the data centre at its end as DailyStory's have it."""
    return f"{secrets.token_hex(16)}-us-1"


def token_in(path: Path) -> str:
    """Read the token of a file; if the file does not exist, write a random one to it, readable only by its owner.

    Raises:
        ConfigurationError: The file is empty, or it cannot be read or written.
    """
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(token := new_token())
    except FileExistsError:
        token = _read(path)
    except OSError as error:
        raise ConfigurationError(f"the token cannot be written to {path.name}: {error.strerror}") from error
    if not token:
        raise ConfigurationError(f"{path.name} holds no token; remove it, or write one into it")
    return token


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path.name} cannot be read as a file with a token; name another file") from error
