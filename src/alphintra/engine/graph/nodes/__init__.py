"""The node types, one file a shelf of the palette."""
