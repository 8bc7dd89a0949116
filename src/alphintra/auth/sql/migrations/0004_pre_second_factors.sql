-- A second factor beside the password: an authenticator app, and codes for when it is lost.
CREATE TABLE IF NOT EXISTS second_factors (
    user_id uuid NOT NULL,
    sealed_seed bytea NOT NULL,
    created_at timestamptz NOT NULL,
    confirmed_at timestamptz,
    last_step bigint NOT NULL DEFAULT 0,
    CONSTRAINT second_factors_pkey PRIMARY KEY (user_id),
    CONSTRAINT second_factors_user_fkey FOREIGN KEY (user_id) REFERENCES users (user_id)
);

CREATE TABLE IF NOT EXISTS recovery_codes (
    code_hash bytea NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT recovery_codes_pkey PRIMARY KEY (code_hash),
    CONSTRAINT recovery_codes_user_fkey FOREIGN KEY (user_id) REFERENCES users (user_id),
    CONSTRAINT recovery_codes_hash_check CHECK (octet_length(code_hash) = 32)
);

CREATE INDEX IF NOT EXISTS recovery_codes_user_idx ON recovery_codes (user_id);

-- When whoever has the session last proved to be its person; when they signed in, if never since.
ALTER TABLE sessions ADD COLUMN IF NOT EXISTS proven_at timestamptz;
