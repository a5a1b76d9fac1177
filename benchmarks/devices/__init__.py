"""Phones as rows of the report, beside this machine's."""
