"""Youdao speech recognition: short recordings, a stream, and long recordings."""
