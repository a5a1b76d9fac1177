"""Answers of Apple's own runtime: asked on a Mac, taken into an export folder anywhere."""
