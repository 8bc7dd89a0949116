-- The copy of every order, amendment, cancellation and trade that surveillance looks at, to the microsecond.
CREATE TABLE IF NOT EXISTS order_stream (
    event_id uuid PRIMARY KEY,
    happened_at timestamptz NOT NULL,
    stored_at timestamptz NOT NULL,
    kind text NOT NULL CHECK (kind IN ('new', 'amend', 'cancel', 'expire', 'reject', 'trade', 'done')),
    owner_id uuid NOT NULL,
    account_id uuid NOT NULL,
    order_id uuid NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    type text NOT NULL,
    qty numeric(28, 9) NOT NULL CHECK (qty >= 0 AND qty < 'Infinity'),
    price numeric(28, 9) CHECK (price > 0 AND price < 'Infinity'),
    reference numeric(28, 9) CHECK (reference > 0 AND reference < 'Infinity'),
    reference_at timestamptz,
    execution_id text NOT NULL,
    venue_at timestamptz,
    is_seen boolean NOT NULL
);

CREATE INDEX IF NOT EXISTS order_stream_person_idx ON order_stream (owner_id, symbol, happened_at);

CREATE INDEX IF NOT EXISTS order_stream_time_idx ON order_stream (happened_at);

CREATE INDEX IF NOT EXISTS order_stream_unseen_idx ON order_stream (stored_at) WHERE NOT is_seen;

CREATE TABLE IF NOT EXISTS surveillance_parameters (
    detector text NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    parameters jsonb NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    set_by text NOT NULL,
    set_at timestamptz NOT NULL,
    review_due date NOT NULL,
    PRIMARY KEY (detector, version)
);

CREATE TABLE IF NOT EXISTS surveillance_cases (
    case_id uuid PRIMARY KEY,
    detector text NOT NULL,
    parameter_version bigint NOT NULL CHECK (parameter_version > 0),
    anchor uuid NOT NULL,
    owner_id uuid NOT NULL,
    symbol text NOT NULL,
    summary text NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    evidence text NOT NULL,
    evidence_sha256 bytea NOT NULL CHECK (octet_length(evidence_sha256) = 32),
    opened_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'under_review', 'escalated', 'closed')),
    reviewer text,
    proposed_by text,
    outcome text CHECK (outcome IN ('false_positive', 'explained', 'reported')),
    reason text NOT NULL,
    closed_by text,
    closed_at timestamptz,
    version bigint NOT NULL CHECK (version > 0),
    CONSTRAINT surveillance_cases_once_key UNIQUE (detector, anchor),
    CONSTRAINT surveillance_cases_closed_by_two CHECK (
        (state = 'closed') = (closed_by IS NOT NULL)
        AND (closed_at IS NULL) = (closed_by IS NULL)
        AND (closed_by IS NULL OR (proposed_by IS NOT NULL AND outcome IS NOT NULL AND closed_by <> proposed_by))
    )
);

CREATE INDEX IF NOT EXISTS surveillance_cases_opened_idx ON surveillance_cases (opened_at DESC, case_id DESC);

CREATE TABLE IF NOT EXISTS case_steps (
    case_id uuid NOT NULL REFERENCES surveillance_cases (case_id),
    step bigint NOT NULL CHECK (step > 0),
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (case_id, step)
);
