-- An API key may be for one account alone; none means all accounts of the key's mode.
ALTER TABLE api_keys ADD COLUMN IF NOT EXISTS account_id uuid;
