"""What broker keeps: rows to values and back."""
