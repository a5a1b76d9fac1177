"""Phones at the end of a cable: found, asked and understood through adb."""
