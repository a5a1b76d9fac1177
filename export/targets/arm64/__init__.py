"""Exported files on aarch64, under emulation: the phone's kernels against the manifest's answers.

Parity only. How long anything takes under an emulator says nothing about a phone and is not kept.
"""
