"""The benchmarks: `make bench` and `make bench-quick`. They compare by ratios of one run on one machine."""

import sys

if "pandas_diff" not in sys.argv:  # the drivers of other tests bring it; without them only pandas would have it, 34 MB
    sys.modules["pyarrow"] = None  # type: ignore[assignment]
