"""Benchmarks on connected phones, as rows of the same report."""
