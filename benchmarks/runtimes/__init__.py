"""The inference runtimes, and the worker process that runs a file in one of them."""
