"""The benchmarks: `make bench` and `make bench-quick`. They compare by ratios of one run on one machine."""
