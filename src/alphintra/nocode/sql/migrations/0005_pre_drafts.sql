-- What one person keeps of a workflow without having saved it: any graph that can be read, with problems or without.
CREATE TABLE IF NOT EXISTS workflow_drafts (
    workflow_id uuid NOT NULL REFERENCES workflows (workflow_id),
    author_id uuid NOT NULL,
    base_version bigint NOT NULL CHECK (base_version > 0),
    revision bigint NOT NULL CHECK (revision > 0),
    graph text NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (workflow_id, author_id)
);
