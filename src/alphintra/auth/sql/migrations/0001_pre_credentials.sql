CREATE TABLE IF NOT EXISTS users (
    user_id uuid NOT NULL,
    email text NOT NULL,
    role text NOT NULL,
    password_hash text NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT users_pkey PRIMARY KEY (user_id),
    CONSTRAINT users_email_key UNIQUE (email),
    CONSTRAINT users_email_check CHECK (email = lower(email)),
    CONSTRAINT users_role_check CHECK (role IN ('owner', 'operator', 'trader', 'viewer')),
    CONSTRAINT users_password_hash_check CHECK (password_hash LIKE '$argon2id$%')
);

-- The family of one log-in's refresh tokens: only the hash of the valid one is here.
CREATE TABLE IF NOT EXISTS sessions (
    session_id uuid NOT NULL,
    user_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    rotations bigint NOT NULL,
    signed_in_at timestamptz NOT NULL,
    rotated_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    end_reason text,
    CONSTRAINT sessions_pkey PRIMARY KEY (session_id),
    CONSTRAINT sessions_user_fkey FOREIGN KEY (user_id) REFERENCES users (user_id),
    CONSTRAINT sessions_token_hash_check CHECK (octet_length(token_hash) = 32),
    CONSTRAINT sessions_rotations_check CHECK (rotations >= 0),
    CONSTRAINT sessions_end_check CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);

CREATE INDEX IF NOT EXISTS sessions_user_idx ON sessions (user_id);

CREATE TABLE IF NOT EXISTS api_keys (
    key_id text NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL,
    secret_hash bytea NOT NULL,
    scopes text [] NOT NULL,
    mode text NOT NULL,
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT api_keys_pkey PRIMARY KEY (key_id),
    CONSTRAINT api_keys_user_fkey FOREIGN KEY (user_id) REFERENCES users (user_id),
    CONSTRAINT api_keys_key_id_check CHECK (key_id ~ '^AK[A-Z2-7]{18}$'),
    CONSTRAINT api_keys_secret_hash_check CHECK (octet_length(secret_hash) = 32),
    CONSTRAINT api_keys_scopes_check CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'trade', 'admin']),
    CONSTRAINT api_keys_mode_check CHECK (mode IN ('paper', 'live'))
);

CREATE INDEX IF NOT EXISTS api_keys_user_idx ON api_keys (user_id, created_at);

-- Log-ins tried per account and address; the bucket is a hash of both.
CREATE TABLE IF NOT EXISTS login_failures (
    bucket bytea NOT NULL,
    attempts bigint NOT NULL,
    last_at timestamptz NOT NULL,
    blocked_until timestamptz NOT NULL,
    CONSTRAINT login_failures_pkey PRIMARY KEY (bucket),
    CONSTRAINT login_failures_bucket_check CHECK (octet_length(bucket) = 32),
    CONSTRAINT login_failures_attempts_check CHECK (attempts >= 0)
);

CREATE INDEX IF NOT EXISTS login_failures_last_at_idx ON login_failures (last_at);

CREATE TABLE IF NOT EXISTS setup_tokens (
    token_hash bytea NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    replaced_at timestamptz,
    CONSTRAINT setup_tokens_pkey PRIMARY KEY (token_hash),
    CONSTRAINT setup_tokens_hash_check CHECK (octet_length(token_hash) = 32)
);
