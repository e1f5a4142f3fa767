"""Volcengine (openspeech): binary frames, signatures, streaming with big models and the older way, recorded files."""
