"""The benchmarks: `make bench` and `make bench-quick`. Compare the ratios of one run on one machine."""

import sys

# A test that imports a part of this package keeps its pyarrow.
IS_RUN = sys.argv[0] == "-m" or "benchmarks" in sys.argv[0]  # `-m` while `python -m` imports the package
if IS_RUN and "pandas_diff" not in sys.argv:  # pyarrow, which drivers for the tests install, would add 34 MB
    sys.modules["pyarrow"] = None  # type: ignore[assignment]
