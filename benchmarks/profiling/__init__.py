"""Operator profiles, and cost against image size, threads and batch size."""
