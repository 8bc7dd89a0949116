"""auth: credentials, sessions, API keys and the keys that sign access tokens."""
