"""What notification keeps: rows to values and back."""
