-- The last four characters of a key's id, to tell which one a connection uses; empty for those of before.
ALTER TABLE links ADD COLUMN IF NOT EXISTS key_hint text NOT NULL DEFAULT '';
