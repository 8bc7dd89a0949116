"""What a home does by itself when it is due: backups, trial restores, retention. Operators hear of failures."""
