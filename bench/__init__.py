"""Benchmarks of gemwire against its peers: `make bench`, or `python -m bench.ratios` alone."""
