"""The pictures in the metadata: what they draw, to scale."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ET

import pytest

from dagster_dailystory.pictures import bars, curve


def drawn(markdown: str) -> ET.Element:
    return ET.fromstring(base64.b64decode(markdown.partition("base64,")[2].rstrip(")")))


def texts(picture: ET.Element) -> list[str | None]:
    return [each.text for each in picture if each.tag.endswith("text")]


def test_bars_are_in_proportion_and_names_are_escaped():
    picture = drawn(bars("Rows", {"a<b>": 50, "c": 100}))
    assert [int(each.attrib["width"]) for each in picture if each.get("fill") == "#4f43dd"] == [360, 180]
    assert texts(picture) == ["Rows", "c", "100", "a<b>", "50"]


def test_a_curve_ends_at_its_last_point_at_the_right_and_the_top():
    picture = drawn(curve("Rows sent", [(0.0, 0), (30.0, 1_000), (60.0, 1_500)]))
    [line] = [each for each in picture if each.tag.endswith("polyline")]
    assert line.attrib["points"] == "70.0,200.0 345.0,93.3 620.0,40.0"
    assert texts(picture) == ["Rows sent", "1,500", "0", "0 s", "60 s"]


@pytest.mark.parametrize(("seconds", "said"), [(4.25, "4.2 s"), (600, "10 min"), (9_000, "2.5 h")])
def test_a_time_is_said_as_people_say_it(seconds, said):
    assert texts(drawn(curve("Rows", [(0.0, 0), (seconds, 1)])))[-1] == said
