"""The charts in the metadata, to scale."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ET

import pytest

from dagster_dailystory.definitions.events.charts import INLINE_CHARACTERS, bars, curve


def drawn(markdown: str) -> ET.Element:
    return ET.fromstring(base64.b64decode(markdown.partition("base64,")[2].rstrip(")")))


def texts(picture: ET.Element) -> list[str | None]:
    return [each.text for each in picture if each.tag.endswith("text")]


def test_bars_are_to_scale_the_largest_first_with_escaped_labels():
    picture = drawn(bars("Rows", {"a<b>": 50, "c": 100}))
    [path] = [each.attrib["d"] for each in picture if each.tag.endswith("path")]
    assert path == "M130 6h270v15H130zM130 28h135v15H130z"
    assert texts(picture) == ["c", "100", "a<b>", "50"]


def test_a_curve_ends_at_its_last_point_top_right():
    picture = drawn(curve("Rows sent", [(0.0, 0), (30.0, 1_000), (60.0, 1_500)]))
    [line] = [each for each in picture if each.tag.endswith("polyline")]
    assert line.attrib["points"] == "60,130 230,50 400,10"
    assert texts(picture) == ["1,500", "0", "60 s"]


def test_charts_are_short_enough_to_be_shown_inline():
    labels = {"a rather long name of a field": 1_234_567, **{f"field number {n}": 1_000_000 + n for n in range(20)}}
    assert len(bars("Rows in which a field differs: the five most", labels)) < INLINE_CHARACTERS
    long = [(float(second), 400 * second) for second in range(241)]
    assert len(curve("Rows sent since the start of the send", long)) < INLINE_CHARACTERS


@pytest.mark.parametrize(("seconds", "text"), [(4.25, "4.2 s"), (600, "10 min"), (9_000, "2.5 h")])
def test_a_duration_has_a_readable_unit(seconds, text):
    assert texts(drawn(curve("Rows", [(0.0, 0), (seconds, 1)])))[-1] == text
