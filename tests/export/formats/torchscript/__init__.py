"""A whole format for the tests, which the package does not know: TorchScript, run by torch."""
