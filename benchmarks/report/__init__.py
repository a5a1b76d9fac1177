"""The benchmark report: files, page and picture."""
