-- When the venue and our books were last compared to the end; null for connections that were not since this is kept.
ALTER TABLE links ADD COLUMN IF NOT EXISTS reconciled_at timestamptz;
