-- Ways to a person beside the inbox. A removed one keeps its row for the log, without its address.
CREATE TABLE IF NOT EXISTS channels (
    channel_id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('email', 'webhook')),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    address text NOT NULL,
    status text NOT NULL CHECK (status IN ('unconfirmed', 'active', 'resting', 'removed')),
    secret_version bigint NOT NULL CHECK (secret_version > 0),
    failures bigint NOT NULL DEFAULT 0 CHECK (failures >= 0),
    tries bigint NOT NULL DEFAULT 0 CHECK (tries >= 0),
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT channels_removed_without_address CHECK ((status = 'removed') = (address = ''))
);

CREATE UNIQUE INDEX IF NOT EXISTS channels_name_once ON channels (user_id, name) WHERE status <> 'removed';

-- The key a webhook is signed by, or the code an e-mail address is confirmed by; encrypted, see the envelopes.
CREATE TABLE IF NOT EXISTS channel_secrets (
    channel_id uuid NOT NULL REFERENCES channels (channel_id),
    version bigint NOT NULL CHECK (version > 0),
    kek_version bigint NOT NULL CHECK (kek_version > 0),
    wrapped_key bytea NOT NULL,
    ciphertext bytea NOT NULL,
    sealed_at timestamptz NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (channel_id, version)
);

-- From which severity on messages about a topic leave by a channel; for topics without a row, warnings do.
CREATE TABLE IF NOT EXISTS rules (
    channel_id uuid NOT NULL REFERENCES channels (channel_id),
    topic text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical', 'off')),
    PRIMARY KEY (channel_id, topic)
);

-- When a person is left alone by channels.
CREATE TABLE IF NOT EXISTS schedules (
    user_id uuid PRIMARY KEY,
    time_zone text NOT NULL,
    quiet_from text NOT NULL CHECK (quiet_from = '' OR quiet_from ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
    quiet_to text NOT NULL CHECK (quiet_to = '' OR quiet_to ~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'),
    muted_until timestamptz,
    changed_at timestamptz NOT NULL,
    CONSTRAINT schedules_hours_whole CHECK ((quiet_from = '') = (quiet_to = ''))
);

-- What is to be sent by channels, stored before anybody is called, and what became of it.
CREATE TABLE IF NOT EXISTS sendings (
    sending_id uuid PRIMARY KEY,
    channel_id uuid NOT NULL REFERENCES channels (channel_id),
    user_id uuid NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('message', 'test', 'code')),
    message_id uuid REFERENCES messages (message_id),
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    state text NOT NULL CHECK (state IN ('due', 'delivered', 'given_up', 'withdrawn')),
    attempts bigint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    due_at timestamptz NOT NULL,
    tried_at timestamptz,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    code text NOT NULL DEFAULT '',
    detail text NOT NULL DEFAULT '',
    CONSTRAINT sendings_once UNIQUE (message_id, channel_id),
    CONSTRAINT sendings_of_message CHECK ((message_id IS NULL) = (purpose <> 'message')),
    CONSTRAINT sendings_ended_iff_not_due CHECK ((ended_at IS NULL) = (state = 'due'))
);

CREATE INDEX IF NOT EXISTS sendings_due_idx ON sendings (channel_id, created_at, sending_id) WHERE state = 'due';

CREATE INDEX IF NOT EXISTS sendings_log_idx ON sendings (user_id, created_at DESC, sending_id DESC);
