-- Since when a workflow is put away; NULL while it is in use.
ALTER TABLE workflows ADD COLUMN IF NOT EXISTS archived_at timestamptz;
