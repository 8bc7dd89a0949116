-- events.append: store an event and queue it for publication, in the caller's transaction
WITH stored AS (
    INSERT INTO event_log (event_id, subject, aggregate_id, payload, occurred_at)
    VALUES ($1, $2, $3, $4, $5)
    RETURNING event_id
)
INSERT INTO outbox (event_id) SELECT event_id FROM stored;

-- events.append_many: store events and queue them for publication in this order, in the caller's transaction
WITH stored AS (
    INSERT INTO event_log (event_id, subject, aggregate_id, payload, occurred_at)
    SELECT n.event_id, n.subject, n.aggregate_id, n.payload, $5
    FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[])
        WITH ORDINALITY AS n (event_id, subject, aggregate_id, payload, place)
    ORDER BY n.place
    RETURNING event_id
)
INSERT INTO outbox (event_id) SELECT event_id FROM stored;

-- events.claim: take a batch of unpublished events off the queue, oldest first, but those another relay holds
WITH claimed AS MATERIALIZED (
    SELECT o.event_id, o.attempts, e.seq, e.subject, e.payload
    FROM outbox AS o
    CROSS JOIN LATERAL (
        SELECT l.seq, l.subject, l.payload FROM event_log AS l WHERE l.event_id = o.event_id
        -- Keeps this a look-up per queued event: joined freely, a backlog makes the planner read all of event_log.
        OFFSET 0
    ) AS e
    ORDER BY e.seq
    LIMIT $1
    FOR UPDATE OF o SKIP LOCKED
), taken AS (
    DELETE FROM outbox AS q USING claimed AS c WHERE q.event_id = c.event_id
)
SELECT event_id, attempts, subject, payload FROM claimed ORDER BY seq;

-- events.pending: how many events wait for publication, and since when
SELECT count(*) AS waiting, min(enqueued_at) AS oldest FROM outbox;

-- inbox.receive: remember an event as handled by a consumer; no row comes back if it already was
INSERT INTO inbox (consumer, event_id) VALUES ($1, $2)
ON CONFLICT (consumer, event_id) DO NOTHING
RETURNING event_id;

-- inbox.receive_many: remember events as handled by a consumer; those come back that were not
INSERT INTO inbox (consumer, event_id)
SELECT $1, e.event_id FROM unnest($2::uuid[]) AS e (event_id)
ORDER BY e.event_id -- two consumers that share events wait for each other in one order: no deadlock
ON CONFLICT (consumer, event_id) DO NOTHING
RETURNING event_id;

-- audit.append: record who did what to which object, in the caller's transaction
INSERT INTO audit_events (audit_id, actor, action, object, detail, trace_id, occurred_at)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- audit.append_many: record many actions in this order, in the caller's transaction
INSERT INTO audit_events (audit_id, actor, action, object, detail, trace_id, occurred_at)
SELECT n.audit_id, n.actor, n.action, n.object, n.detail, n.trace_id, $7
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
    WITH ORDINALITY AS n (audit_id, actor, action, object, detail, trace_id, place)
ORDER BY n.place;

-- plans.keep: plan no statement anew for its values, to the end of the transaction
SET LOCAL plan_cache_mode = force_generic_plan;

-- health.identity: which database answers, under which role, and at which migration
SELECT current_database() AS database, current_user AS role, (SELECT count(*) FROM schema_migrations) AS migrations;
