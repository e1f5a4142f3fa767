"""OpenAI's speech-to-text interface, and the servers that speak it, each a little differently."""
