"""Records whose time is up: archived under seal, taken away, and proof of it; legal holds that stop that."""
