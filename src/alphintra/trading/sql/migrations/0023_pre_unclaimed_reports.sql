-- Reports of venues on orders that are not known, kept aside until they are: an event that comes again for ever takes
-- the place of others. No reference to an order: that there is none is why it is here.
CREATE TABLE IF NOT EXISTS unclaimed_reports (
    event_id uuid PRIMARY KEY,
    order_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind <> ''),
    report text NOT NULL,
    occurred_at timestamptz NOT NULL,
    kept_at timestamptz NOT NULL,
    claimed_at timestamptz
);

CREATE INDEX IF NOT EXISTS unclaimed_reports_waiting_idx ON unclaimed_reports (order_id) WHERE claimed_at IS NULL;
CREATE INDEX IF NOT EXISTS unclaimed_reports_kept_idx ON unclaimed_reports (kept_at DESC, event_id);
