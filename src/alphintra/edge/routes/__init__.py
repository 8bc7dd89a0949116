"""The wide API, one module per resource."""
