-- A person's workflows. `version` is the number of the newest version; `layout` is where its nodes stand now.
CREATE TABLE IF NOT EXISTS workflows (
    workflow_id uuid PRIMARY KEY,
    owner_id uuid NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    version bigint NOT NULL CHECK (version > 0),
    layout text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT workflows_owner_name_key UNIQUE (owner_id, name)
);

-- What a workflow was at each version. Rows are added and never changed: the service role may not.
CREATE TABLE IF NOT EXISTS workflow_versions (
    version_id uuid PRIMARY KEY,
    workflow_id uuid NOT NULL REFERENCES workflows (workflow_id),
    version bigint NOT NULL CHECK (version > 0),
    graph text NOT NULL,
    graph_hash text NOT NULL CHECK (graph_hash ~ '^[0-9a-f]{64}$'),
    warmup_bars bigint NOT NULL CHECK (warmup_bars >= 0),
    created_at timestamptz NOT NULL,
    CONSTRAINT workflow_versions_workflow_version_key UNIQUE (workflow_id, version)
);
