"""The benchmarks: `make bench` and `make bench-quick`. Compare the ratios of one run on one machine."""

import sys

if "pandas_diff" not in sys.argv:  # pyarrow, which drivers for the tests install, would add 34 MB to each contender
    sys.modules["pyarrow"] = None  # type: ignore[assignment]
