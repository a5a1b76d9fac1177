"""Engines of other runtimes: scripts that need numpy and the one runtime alone."""
