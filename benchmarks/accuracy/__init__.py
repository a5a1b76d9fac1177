"""Accuracy of every exported file: the photos, the answers and their cache."""
