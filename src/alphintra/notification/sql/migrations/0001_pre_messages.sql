CREATE TABLE IF NOT EXISTS messages (
    message_id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    dedupe_key text NOT NULL,
    kind text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    title text NOT NULL,
    body text NOT NULL,
    subject text NOT NULL,
    created_at timestamptz NOT NULL,
    read_at timestamptz,
    CONSTRAINT messages_once_key UNIQUE (user_id, dedupe_key)
);

CREATE INDEX IF NOT EXISTS messages_inbox_idx ON messages (user_id, created_at DESC, message_id DESC);

CREATE INDEX IF NOT EXISTS messages_unread_idx ON messages (user_id, created_at DESC, message_id DESC)
WHERE read_at IS NULL;

CREATE TABLE IF NOT EXISTS deliveries (
    message_id uuid NOT NULL REFERENCES messages (message_id),
    channel text NOT NULL CHECK (channel IN ('in_app')),
    delivered_at timestamptz NOT NULL,
    PRIMARY KEY (message_id, channel)
);

-- Whom news for everybody goes to.
CREATE TABLE IF NOT EXISTS recipients (
    user_id uuid PRIMARY KEY,
    registered_at timestamptz NOT NULL
);

-- Whom news of an account goes to.
CREATE TABLE IF NOT EXISTS account_owners (
    account_id uuid PRIMARY KEY,
    owner_id uuid NOT NULL
);
