"""The documentation site as it is built: complete, without a broken link, and without a request to another host."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

pytest.importorskip("zensical")

ROOT = Path(__file__).parents[2]
DOCS, SITE = ROOT / "docs", ROOT / "site"
LOADED = {("script", "src"), ("img", "src"), ("link", "href"), ("source", "src"), ("iframe", "src")}
"""What a browser loads by itself; a link is followed only by a person."""


class Page(HTMLParser):
    """The ids of a page, its links, and what it loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.classes: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.ids.update(values[name] for name in ("id", "name") if name in values)
        self.classes.update(values.get("class", "").split())
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if values.get("rel") != "canonical":
            self.loaded += [value for name, value in values.items() if (tag, name) in LOADED]


@pytest.fixture(scope="module")
def pages() -> dict[Path, Page]:
    """The site, built without a warning."""
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict"]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return {path: Page(path) for path in SITE.rglob("*.html")}


def test_every_link_leads_to_a_page_and_a_heading(pages: dict[Path, Page]) -> None:
    broken = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file() or (parts.fragment and parts.fragment not in {*pages[target].ids, "__top"}):
                broken.append(f"{path.relative_to(SITE)}: {link}")
    assert broken == []


def test_no_page_loads_anything_from_another_host(pages: dict[Path, Page]) -> None:
    outside = {
        f"{path.relative_to(SITE)}: {address}"
        for path, page in pages.items()
        for address in page.loaded
        if urlsplit(address).netloc
    }
    assert outside == set()
    assert [path for path, page in pages.items() if "mermaid" in page.classes] == []  # its library is on another host


def test_every_picture_is_there(pages: dict[Path, Page]) -> None:
    addresses = [(path, each) for path, page in pages.items() for each in page.loaded if not urlsplit(each).scheme]
    absent = [each for path, each in addresses if path.name != "404.html" and not (path.parent / each).exists()]
    assert addresses
    assert absent == []


def test_every_page_is_in_the_navigation_and_in_llms_txt(pages: dict[Path, Page]) -> None:
    class Loader(yaml.SafeLoader):
        """Reads `!ENV [NAME, default]` as its text."""

    Loader.add_constructor("!ENV", lambda loader, node: loader.construct_sequence(node)[-1])  # type: ignore[arg-type]
    nav = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader)["nav"]  # a SafeLoader
    written = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
    assert sorted(listed(nav)) == written
    llms = (SITE / "llms.txt").read_text(encoding="utf-8")
    markdown = [page if page == "index.md" else f"{page.removesuffix('.md')}/index.md" for page in written]
    assert [page for page in markdown if f"/{page}>" not in llms or not (SITE / page).is_file()] == []


def listed(nav: object) -> Iterator[str]:
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, dict):
        for entry in nav.values():
            yield from listed(entry)
    elif isinstance(nav, list):
        for entry in nav:
            yield from listed(entry)
