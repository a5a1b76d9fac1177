"""The iOS package and sample app, with the tools that build and test its core on Linux."""
