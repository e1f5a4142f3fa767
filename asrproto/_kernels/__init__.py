"""Compiled modules (sources in ``_ext/``) and their stubs. Private: call the rooms above instead."""
