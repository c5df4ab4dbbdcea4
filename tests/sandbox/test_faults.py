"""Scripted and random faults, the rate limit, and the checks of the settings."""

from __future__ import annotations

import pytest

from dagster_dailystory.errors import ConfigurationError
from dagster_dailystory.sandbox.faults import Fault, FaultPlan, FaultShares, RateLimit, RateLimiter
from dagster_dailystory.sandbox.settings import SandboxSettings


def test_faults_follow_the_script_and_then_the_seed():
    shares = FaultShares(throttled=0.2, cut_after=0.1, refused=0.1)
    plans = [FaultPlan(7), FaultPlan(7)]
    for plan in plans:
        plan.script(["cut_before", None, 503], "POST")
    drawn = [[plan.next_fault("POST", shares) for _ in range(2003)] for plan in plans]
    assert drawn[0] == drawn[1]
    assert drawn[0][:3] == [Fault.CUT_BEFORE, None, 503]
    assert 340 < drawn[0][3:].count(Fault.THROTTLED) < 460
    assert Fault.REFUSED not in {plans[0].next_fault("GET", shares) for _ in range(500)}


def test_invalid_settings_are_refused():
    for make in (
        lambda: FaultShares(throttled=1.5),
        lambda: FaultShares(throttled=0.6, slow=0.6),
        lambda: FaultPlan(0).script(["cut_befor"], "POST"),
        lambda: SandboxSettings(not_found="405"),
        lambda: SandboxSettings(tokens=("",)),
        lambda: SandboxSettings(tokens="abc"),
        lambda: SandboxSettings(requests_per_second=0),
    ):
        with pytest.raises(ConfigurationError):
            make()


@pytest.mark.parametrize("kind", list(RateLimit))
def test_a_rate_limit_accepts_its_rate_and_returns_the_wait(kind):
    limiter = RateLimiter()
    passed = [limiter.wait_seconds(kind, 10, 1.0, 5.0) for _ in range(12)]
    assert passed[:10] == [0.0] * 10
    assert all(0 < wait <= 1 for wait in passed[10:])
    assert limiter.wait_seconds(kind, 10, 1.0, 5.0 + passed[10] + 1e-9) == 0.0
