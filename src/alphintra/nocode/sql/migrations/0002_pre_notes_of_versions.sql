-- Who saved a version (the workflow's owner where it says nobody), what they said, and what it was restored from.
ALTER TABLE workflow_versions
ADD COLUMN IF NOT EXISTS created_by uuid,
ADD COLUMN IF NOT EXISTS note text NOT NULL DEFAULT '',
ADD COLUMN IF NOT EXISTS origin_version_id uuid;
