-- people.insert: remember a person; one who is known stays
INSERT INTO people (user_id, email, registered_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- people.find: a person by id or e-mail
SELECT user_id, email FROM people WHERE user_id = $1 OR email = $2;

-- workflows.count: how many workflows a person has
SELECT count(*) FROM workflows WHERE owner_id = $1;

-- workflows.insert: store a new workflow
INSERT INTO workflows (workflow_id, owner_id, name, version, layout, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- workflows.update: store name, archive, which version is the newest, and where its nodes stand
UPDATE workflows SET name = $2, version = $3, layout = $4, archived_at = $5, updated_at = $6 WHERE workflow_id = $1;

-- workflows.lock: hold a workflow until the transaction ends, before it is read to change it
SELECT workflow_id FROM workflows WHERE workflow_id = $1 FOR UPDATE;

-- workflows.get: read a workflow, what its newest version is, and what some grantees may do with it at a time
SELECT
    w.workflow_id, w.owner_id, w.name, v.version_id, v.version, v.graph_hash, v.warmup_bars,
    w.layout, w.created_at, w.updated_at, w.archived_at, array(
        SELECT DISTINCT g.permission FROM workflow_grants AS g
        WHERE g.workflow_id = w.workflow_id AND g.grantee = any($2::text[]) AND g.revoked_at IS NULL
        AND (g.expires_at IS NULL OR g.expires_at > $3)
    ) AS permissions
FROM workflows AS w
JOIN workflow_versions AS v ON v.workflow_id = w.workflow_id AND v.version = w.version
WHERE w.workflow_id = $1;

-- workflows.list: read all workflows of a person, newest change first; archived ones if asked for
SELECT
    w.workflow_id, w.owner_id, w.name, v.version_id, v.version, v.graph_hash, v.warmup_bars,
    w.layout, w.created_at, w.updated_at, w.archived_at, '{}'::text[] AS permissions
FROM workflows AS w
JOIN workflow_versions AS v ON v.workflow_id = w.workflow_id AND v.version = w.version
WHERE w.owner_id = $1 AND ($2 OR w.archived_at IS NULL)
ORDER BY w.updated_at DESC, w.workflow_id DESC;

-- workflows.list_shared: read the workflows of others that some grantees may use at a time, newest change first
SELECT
    w.workflow_id, w.owner_id, w.name, v.version_id, v.version, v.graph_hash, v.warmup_bars,
    w.layout, w.created_at, w.updated_at, w.archived_at, s.permissions
FROM (
    SELECT g.workflow_id, array_agg(DISTINCT g.permission) AS permissions FROM workflow_grants AS g
    WHERE g.grantee = any($2::text[]) AND g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > $3)
    GROUP BY g.workflow_id
) AS s
JOIN workflows AS w ON w.workflow_id = s.workflow_id
JOIN workflow_versions AS v ON v.workflow_id = w.workflow_id AND v.version = w.version
WHERE w.owner_id <> $1 AND ($4 OR w.archived_at IS NULL)
ORDER BY w.updated_at DESC, w.workflow_id DESC
LIMIT $5;

-- versions.insert: store a version
INSERT INTO workflow_versions (
    version_id, workflow_id, version, graph, graph_hash, warmup_bars, created_at, created_by, note, origin_version_id
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- versions.get: read one version by its id
SELECT
    v.version_id, v.workflow_id, v.version, v.graph, v.graph_hash, v.warmup_bars, v.created_at,
    coalesce(v.created_by, w.owner_id) AS created_by, v.note, v.origin_version_id
FROM workflow_versions AS v
JOIN workflows AS w ON w.workflow_id = v.workflow_id
WHERE v.version_id = $1;

-- versions.numbered: read one version of a workflow by its number
SELECT
    v.version_id, v.workflow_id, v.version, v.graph, v.graph_hash, v.warmup_bars, v.created_at,
    coalesce(v.created_by, w.owner_id) AS created_by, v.note, v.origin_version_id
FROM workflow_versions AS v
JOIN workflows AS w ON w.workflow_id = v.workflow_id
WHERE v.workflow_id = $1 AND v.version = $2;

-- versions.list: read versions of a workflow without their graphs, newest first, below a number if there is one
SELECT
    v.version_id, v.version, v.graph_hash, v.warmup_bars, v.created_at,
    coalesce(v.created_by, w.owner_id) AS created_by, coalesce(p.email, '') AS created_by_email,
    v.note, v.origin_version_id
FROM workflow_versions AS v
JOIN workflows AS w ON w.workflow_id = v.workflow_id
LEFT JOIN people AS p ON p.user_id = coalesce(v.created_by, w.owner_id)
WHERE v.workflow_id = $1 AND ($2::bigint IS NULL OR v.version < $2)
ORDER BY v.version DESC
LIMIT $3;

-- grants.insert: store a grant
INSERT INTO workflow_grants (grant_id, workflow_id, grantee, permission, granted_by, granted_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- grants.revoke: take a grant back
UPDATE workflow_grants SET revoked_at = $2, revoked_by = $3 WHERE grant_id = $1 AND revoked_at IS NULL;

-- grants.get: read a grant, also one that was revoked
SELECT
    g.grant_id, g.workflow_id, g.grantee, g.permission, g.granted_by, g.granted_at, g.expires_at, g.revoked_at,
    coalesce(p.email, '') AS email
FROM workflow_grants AS g
LEFT JOIN people AS p ON g.grantee = 'user:' || p.user_id
WHERE g.grant_id = $1;

-- grants.list: read the grants of a workflow that were not revoked, oldest first
SELECT
    g.grant_id, g.workflow_id, g.grantee, g.permission, g.granted_by, g.granted_at, g.expires_at, g.revoked_at,
    coalesce(p.email, '') AS email
FROM workflow_grants AS g
LEFT JOIN people AS p ON g.grantee = 'user:' || p.user_id
WHERE g.workflow_id = $1 AND g.revoked_at IS NULL
ORDER BY g.granted_at, g.grant_id;

-- drafts.get: read what a person keeps of a workflow
SELECT workflow_id, author_id, base_version, revision, graph, updated_at FROM workflow_drafts
WHERE workflow_id = $1 AND author_id = $2;

-- drafts.put: keep a draft in the place of the one before
INSERT INTO workflow_drafts (workflow_id, author_id, base_version, revision, graph, updated_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (workflow_id, author_id) DO UPDATE
SET base_version = excluded.base_version, revision = excluded.revision, graph = excluded.graph,
    updated_at = excluded.updated_at;

-- drafts.delete: forget a draft
DELETE FROM workflow_drafts WHERE workflow_id = $1 AND author_id = $2;

-- executions.begin: remember an execution that began; one whose end is known already stays as it is
INSERT INTO workflow_executions (
    execution_id, version_id, kind, symbol, executed_by, status, started_at, ended_at, figures
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (execution_id) DO NOTHING;

-- executions.end: remember how an execution ended, be its beginning known or not
INSERT INTO workflow_executions (
    execution_id, version_id, kind, symbol, executed_by, status, started_at, ended_at, figures
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (execution_id) DO UPDATE
SET status = excluded.status, ended_at = excluded.ended_at, figures = excluded.figures;

-- executions.list: read the executions of a workflow or one of its versions, by everybody or by one, newest first
SELECT
    e.execution_id, e.kind, v.workflow_id, e.version_id, v.version, e.symbol, e.executed_by,
    coalesce(p.email, '') AS executed_by_email, e.status, e.started_at, e.ended_at, e.figures, w.name AS workflow_name
FROM workflow_versions AS v
JOIN workflows AS w ON w.workflow_id = v.workflow_id
JOIN workflow_executions AS e ON e.version_id = v.version_id
LEFT JOIN people AS p ON p.user_id = e.executed_by
WHERE v.workflow_id = $1 AND ($2::bigint IS NULL OR v.version = $2) AND ($3::uuid IS NULL OR e.executed_by = $3)
ORDER BY coalesce(e.started_at, e.ended_at) DESC, e.execution_id DESC
LIMIT $4;

-- executions.newest: read what runs of all workflows a person may see at a time, and the newest of each kind
SELECT
    n.execution_id, n.kind, n.workflow_id, n.version_id, n.version, n.symbol, n.executed_by,
    coalesce(p.email, '') AS executed_by_email, n.status, n.started_at, n.ended_at, n.figures, n.workflow_name
FROM (
    SELECT
        e.execution_id, e.kind, v.workflow_id, e.version_id, v.version, e.symbol, e.executed_by, e.status,
        e.started_at, e.ended_at, e.figures, w.name AS workflow_name, row_number() OVER (
            PARTITION BY v.workflow_id, e.kind ORDER BY coalesce(e.started_at, e.ended_at) DESC, e.execution_id DESC
        ) AS place
    FROM workflows AS w
    JOIN workflow_versions AS v ON v.workflow_id = w.workflow_id
    JOIN workflow_executions AS e ON e.version_id = v.version_id
    WHERE w.workflow_id IN (
        SELECT own.workflow_id FROM workflows AS own WHERE own.owner_id = $1
        UNION
        SELECT g.workflow_id FROM workflow_grants AS g
        WHERE g.grantee = any($2::text[]) AND g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > $3)
    ) AND (w.owner_id = $1 OR e.executed_by = $1)
) AS n
LEFT JOIN people AS p ON p.user_id = n.executed_by
WHERE n.place <= $4 OR n.status = 'active'
ORDER BY coalesce(n.started_at, n.ended_at) DESC, n.execution_id DESC
LIMIT $5;
