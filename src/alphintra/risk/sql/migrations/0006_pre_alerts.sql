-- Something a person is to look at: raised once for each key, acknowledged by name, escalated where nobody does.
CREATE TABLE IF NOT EXISTS alerts (
    alert_id uuid PRIMARY KEY,
    dedupe_key text NOT NULL,
    rule text NOT NULL,
    rule_version bigint NOT NULL CHECK (rule_version >= 0),
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    account_id uuid,
    owner_id uuid,
    subject text NOT NULL,
    title text NOT NULL,
    detail text NOT NULL,
    happened_at timestamptz NOT NULL,
    raised_at timestamptz NOT NULL,
    escalate_at timestamptz,
    escalated_at timestamptz,
    acknowledged_by text,
    acknowledged_at timestamptz,
    note text NOT NULL DEFAULT '',
    CONSTRAINT alerts_once_key UNIQUE (dedupe_key),
    CONSTRAINT alerts_acknowledged_by_somebody CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
);

CREATE INDEX IF NOT EXISTS alerts_raised_idx ON alerts (raised_at DESC, alert_id DESC);

CREATE INDEX IF NOT EXISTS alerts_owner_idx ON alerts (owner_id, raised_at DESC, alert_id DESC);

CREATE INDEX IF NOT EXISTS alerts_escalation_idx ON alerts (escalate_at)
WHERE acknowledged_at IS NULL AND escalated_at IS NULL;

CREATE TABLE IF NOT EXISTS alert_rules (
    rule text NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    is_enabled boolean NOT NULL,
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    threshold numeric(28, 9) NOT NULL CHECK (threshold >= 0 AND threshold < 'Infinity'),
    repeat_after_s bigint NOT NULL CHECK (repeat_after_s > 0),
    escalate_after_s bigint NOT NULL CHECK (escalate_after_s >= 0),
    set_by text NOT NULL,
    set_at timestamptz NOT NULL,
    PRIMARY KEY (rule, version)
);
