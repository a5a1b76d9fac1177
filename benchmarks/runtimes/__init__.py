"""The inference runtimes that a benchmark measures with."""
