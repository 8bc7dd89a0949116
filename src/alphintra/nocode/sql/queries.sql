-- workflows.count: how many workflows a person has
SELECT count(*) FROM workflows WHERE owner_id = $1;

-- workflows.insert: store a new workflow
INSERT INTO workflows (workflow_id, owner_id, name, version, layout, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- workflows.update: store which version is the newest, and where its nodes stand
UPDATE workflows SET version = $2, layout = $3, updated_at = $4 WHERE workflow_id = $1;

-- workflows.lock: hold a person's workflow until the transaction ends, before it is read to change it
SELECT workflow_id FROM workflows WHERE workflow_id = $1 AND owner_id = $2 FOR UPDATE;

-- workflows.get: read a person's workflow and what its newest version is
SELECT
    w.workflow_id, w.owner_id, w.name, v.version_id, v.version, v.graph_hash, v.warmup_bars,
    w.layout, w.created_at, w.updated_at
FROM workflows AS w
JOIN workflow_versions AS v ON v.workflow_id = w.workflow_id AND v.version = w.version
WHERE w.workflow_id = $1 AND w.owner_id = $2;

-- workflows.list: read all workflows of a person, newest change first
SELECT
    w.workflow_id, w.owner_id, w.name, v.version_id, v.version, v.graph_hash, v.warmup_bars,
    w.layout, w.created_at, w.updated_at
FROM workflows AS w
JOIN workflow_versions AS v ON v.workflow_id = w.workflow_id AND v.version = w.version
WHERE w.owner_id = $1
ORDER BY w.updated_at DESC, w.workflow_id DESC;

-- versions.insert: store a version
INSERT INTO workflow_versions (version_id, workflow_id, version, graph, graph_hash, warmup_bars, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- versions.get: read one version of a person's workflow; layout where it is the newest
SELECT
    v.version_id, v.workflow_id, v.version, v.graph, v.graph_hash, v.warmup_bars, v.created_at, w.name,
    CASE WHEN v.version = w.version THEN w.layout END AS layout
FROM workflow_versions AS v
JOIN workflows AS w ON w.workflow_id = v.workflow_id
WHERE v.version_id = $1 AND w.owner_id = $2;
