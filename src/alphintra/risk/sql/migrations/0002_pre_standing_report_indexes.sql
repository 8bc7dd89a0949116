-- Decisions are written in order of time: a few bytes a megabyte say which part of the table a quarter lies in.
CREATE INDEX IF NOT EXISTS assessments_decided_range_idx
ON assessments USING brin (decided_at) WITH (autosummarize = on);

-- Refusals are the few that every compliance report asks for.
CREATE INDEX IF NOT EXISTS assessments_refused_idx ON assessments (decided_at) WHERE NOT approved;
