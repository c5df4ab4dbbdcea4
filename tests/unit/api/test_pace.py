"""The rate that several runs agree on, and how refusals change it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dagster_dailystory.api.rate.pace import CONFIRMED_SECONDS, Pace

LATER = CONFIRMED_SECONDS + 1


def agreed(*runs: tuple[float, float | None], first: float | None = None) -> Pace:
    """The pace after runs with these rates asked at these times."""
    pace = Pace.first(first).agreed(0.0, first)
    for now, configured in runs:
        pace = pace.agreed(now, configured)
    return pace


def test_the_lowest_rate_of_the_running_syncs_binds_all():
    assert agreed((1.0, 20.0), (2.0, 100.0), first=50.0).requests_per_second == 20.0


def test_a_run_without_a_rate_keeps_to_that_of_the_others():
    assert agreed((1.0, None), first=50.0).ceiling == 50.0


def test_a_rate_that_no_running_sync_has_any_more_is_given_up():
    assert agreed((LATER, 100.0), first=50.0).requests_per_second == 100.0


def test_a_rate_binds_as_long_as_a_run_with_it_goes_on():
    assert agreed((30.0, 50.0), (LATER, 100.0), first=50.0).requests_per_second == 50.0


def test_a_rate_that_is_known_now_replaces_the_one_that_was_found():
    pace = agreed((1.0, 40.0))
    assert (pace.requests_per_second, pace.ceiling, pace.is_ramping) == (40.0, 40.0, False)


def test_a_rate_that_is_not_set_any_more_is_adapted_from_where_it_was():
    pace = agreed((LATER, None), first=50.0)
    assert (pace.requests_per_second, pace.is_adaptive, pace.is_ramping) == (50.0, True, False)


def test_a_lower_rate_does_not_end_the_recovery_from_refusals():
    lowered = Pace.first(100.0).agreed(0.0, 100.0).refused(1.0, 2.0, 10, 10)
    assert lowered.agreed(2.0, 90.0).requests_per_second == pytest.approx(80.0)


def test_a_clock_that_went_back_holds_no_step_up():
    pace = Pace(10.0, 20.0, stepped_at=5_000.0)
    assert pace.raised(1_000.0, 10).requests_per_second > 10.0


def test_a_rate_that_was_found_on_a_bad_day_is_found_anew_after_ten_minutes_without_use():
    slow = Pace(0.5, None, lowered_at=100.0, stepped_at=100.0)
    assert slow.agreed(700.0, None) == slow
    anew = slow.agreed(701.0, None)
    assert (anew.requests_per_second, anew.is_ramping) == (2.0, True)
    assert replace(slow, ceiling=0.5).agreed(701.0, 0.5).requests_per_second == 0.5
