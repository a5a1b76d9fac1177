"""Swift for Linux: fetched, hash-checked, run in a root of its own; nothing is installed."""
