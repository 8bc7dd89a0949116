-- What a deployment trades: the mode of its account, which never changes. All before were on paper.
ALTER TABLE deployments ADD COLUMN IF NOT EXISTS mode text NOT NULL DEFAULT 'paper';
