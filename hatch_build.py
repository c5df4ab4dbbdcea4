"""The long description of the package: README.md with whole addresses, because an index has none of its files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"(?P<picture>!?)(?P<text>\[[^\]]*\])\((?!https?://|#)(?P<path>[^)]+)\)")


class CustomMetadataHook(MetadataHookInterface):
    """Hatchling calls it: `readme` is a dynamic field."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the description, with the addresses of `project.urls`."""
        readme = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        text = with_addresses(readme, metadata["urls"]["Source"])
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def with_addresses(readme: str, source: str) -> str:
    """Let relative links lead to the repository, and pictures to their files there."""

    def whole(found: re.Match[str]) -> str:
        form = "raw" if found["picture"] else "blob"
        return f"{found['picture']}{found['text']}({source}/{form}/main/{found['path']})"

    return LINK.sub(whole, readme)
