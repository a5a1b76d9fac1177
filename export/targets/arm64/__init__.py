"""Parity of exported files on aarch64, under emulation: the kernels of a phone, without a phone.

Latency under an emulator says nothing about a phone and is not recorded.
"""
