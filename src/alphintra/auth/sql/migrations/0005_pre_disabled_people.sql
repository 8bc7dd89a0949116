-- Since when a person is kept out; their sessions have ended and their keys are refused.
ALTER TABLE users ADD COLUMN IF NOT EXISTS disabled_at timestamptz;
