"""A format that exists in the tests alone."""
