-- Executions of versions as strategy told of them: by id alone, without names or addresses of people. No reference to
-- the version: what is told is kept, also while a restored database does not have it.
CREATE TABLE IF NOT EXISTS workflow_executions (
    execution_id uuid PRIMARY KEY,
    version_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('backtest', 'paper', 'live')),
    symbol text NOT NULL,
    executed_by uuid NOT NULL,
    status text NOT NULL CHECK (status <> ''),
    started_at timestamptz,
    ended_at timestamptz,
    figures text NOT NULL
);

CREATE INDEX IF NOT EXISTS workflow_executions_version_idx ON workflow_executions (version_id);
