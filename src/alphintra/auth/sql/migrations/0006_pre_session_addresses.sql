-- Where a session was begun from, to tell one's own from another's; empty where it is not known.
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS address text NOT NULL DEFAULT '';
