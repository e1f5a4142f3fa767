"""Fuzzing: a target for every decoder and parser, with and without Atheris; see fuzz/README.md."""
