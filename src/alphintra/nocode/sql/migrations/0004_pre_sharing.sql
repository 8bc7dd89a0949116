-- People a workflow can be shared with, as auth told of them.
CREATE TABLE IF NOT EXISTS people (
    user_id uuid PRIMARY KEY,
    email text NOT NULL CHECK (email <> ''),
    registered_at timestamptz NOT NULL
);

CREATE UNIQUE INDEX IF NOT EXISTS people_email_idx ON people (email);

-- What an owner allows a person ('user:<id>') or everybody in a role ('role:<name>'). A grant is revoked, not deleted.
CREATE TABLE IF NOT EXISTS workflow_grants (
    grant_id uuid PRIMARY KEY,
    workflow_id uuid NOT NULL REFERENCES workflows (workflow_id),
    grantee text NOT NULL CHECK (grantee ~ '^(user:[0-9a-f-]{36}|role:[a-z]+)$'),
    permission text NOT NULL CHECK (permission IN ('view', 'edit', 'execute')),
    granted_by uuid NOT NULL,
    granted_at timestamptz NOT NULL,
    expires_at timestamptz CHECK (expires_at > granted_at),
    revoked_at timestamptz,
    revoked_by uuid,
    CONSTRAINT workflow_grants_revoked_check CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);

CREATE UNIQUE INDEX IF NOT EXISTS workflow_grants_standing_idx
ON workflow_grants (workflow_id, grantee, permission) WHERE revoked_at IS NULL;

CREATE INDEX IF NOT EXISTS workflow_grants_grantee_idx ON workflow_grants (grantee) WHERE revoked_at IS NULL;
