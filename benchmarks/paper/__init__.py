"""The paper's comparison of eight networks on real photos: train, export, verify, time, compare."""
