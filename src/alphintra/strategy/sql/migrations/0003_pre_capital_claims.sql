-- Books that are to be released when they are due: of claims whose deployment was never stored, of deployments that
-- failed or were stopped.
CREATE TABLE IF NOT EXISTS capital_claims (
    deployment_id uuid PRIMARY KEY,
    account_id uuid NOT NULL,
    due_at timestamptz NOT NULL
);
