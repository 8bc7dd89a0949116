-- Seen is not the same as taken care of.
ALTER TABLE messages ADD COLUMN IF NOT EXISTS acknowledged_at timestamptz;
