-- An API key may be for some addresses alone; none means any.
ALTER TABLE api_keys ADD COLUMN IF NOT EXISTS addresses cidr[] NOT NULL DEFAULT '{}';
