-- Reports on what deployments did otherwise than the backtests of their bars; report is the whole as JSON.
CREATE TABLE IF NOT EXISTS drift_reports (
    report_id uuid PRIMARY KEY,
    deployment_id uuid NOT NULL REFERENCES deployments (deployment_id),
    made_at timestamptz NOT NULL,
    is_over boolean NOT NULL,
    differences bigint NOT NULL CHECK (differences >= 0),
    report text NOT NULL
);

CREATE INDEX IF NOT EXISTS drift_reports_newest_idx ON drift_reports (deployment_id, made_at DESC);
