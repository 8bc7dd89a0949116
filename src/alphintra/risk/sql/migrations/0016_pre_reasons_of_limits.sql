-- Why limits were set; empty for those of before.
ALTER TABLE limit_sets ADD COLUMN IF NOT EXISTS reason text NOT NULL DEFAULT '';
