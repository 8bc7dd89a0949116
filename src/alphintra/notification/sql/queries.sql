-- recipients.insert: remember a person; one who is known stays
INSERT INTO recipients (user_id, registered_at, role) VALUES ($1, $2, $3) ON CONFLICT (user_id) DO NOTHING;

-- recipients.list: everybody who is known, by id
SELECT user_id FROM recipients ORDER BY user_id;

-- recipients.watching: who watches risk
SELECT user_id FROM recipients WHERE role IN ('owner', 'operator') ORDER BY user_id;

-- account_owners.insert: remember whose an account is
INSERT INTO account_owners (account_id, owner_id) VALUES ($1, $2) ON CONFLICT (account_id) DO NOTHING;

-- account_owners.get: whose an account is
SELECT owner_id FROM account_owners WHERE account_id = $1;

-- messages.deliver: put one message into several inboxes, except where it is already; returns where it is new
WITH stored AS (
    INSERT INTO messages (message_id, user_id, dedupe_key, kind, severity, title, body, subject, created_at)
    SELECT u.message_id, u.user_id, $3, $4, $5, $6, $7, $8, $9
    FROM unnest($1::uuid[], $2::uuid[]) AS u (message_id, user_id)
    ON CONFLICT (user_id, dedupe_key) DO NOTHING
    RETURNING message_id, user_id
), delivered AS (
    INSERT INTO deliveries (message_id, channel, delivered_at) SELECT message_id, 'in_app', $10 FROM stored
)
SELECT message_id, user_id FROM stored ORDER BY user_id;

-- messages.list: a person's messages, newest first, before one of them and narrowed down as wanted
SELECT m.message_id, m.kind, m.severity, m.title, m.body, m.subject, m.created_at, m.read_at, m.acknowledged_at
FROM messages AS m
WHERE m.user_id = $1
    AND ($3::boolean IS FALSE OR m.read_at IS NULL)
    AND ($4::boolean IS FALSE OR m.acknowledged_at IS NULL)
    AND m.severity = any($5::text[])
    AND ($6::text[] IS NULL OR m.kind LIKE any($6::text[]))
    AND (
        $7::uuid IS NULL
        OR (m.created_at, m.message_id) < (
            SELECT b.created_at, b.message_id FROM messages AS b WHERE b.message_id = $7 AND b.user_id = $1
        )
    )
ORDER BY m.created_at DESC, m.message_id DESC
LIMIT $2;

-- messages.count_unread: how many of a person's messages are not read yet
SELECT count(*) AS unread FROM messages WHERE user_id = $1 AND read_at IS NULL;

-- messages.mark_read: mark a person's message as read; the first time stays
UPDATE messages SET read_at = coalesce(read_at, $3)
WHERE message_id = $1 AND user_id = $2
RETURNING message_id, kind, severity, title, body, subject, created_at, read_at, acknowledged_at;

-- messages.acknowledge: mark a person's messages as taken care of, and as read; the first time stays
WITH done AS (
    UPDATE messages SET acknowledged_at = $3, read_at = coalesce(read_at, $3)
    WHERE message_id = any($1::uuid[]) AND user_id = $2 AND acknowledged_at IS NULL
    RETURNING message_id
)
SELECT count(*) AS acknowledged FROM done;

-- channels.insert: add a channel
INSERT INTO channels (channel_id, user_id, kind, name, address, status, secret_version, created_at, changed_at)
VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7);

-- channels.list: a person's channels, oldest first
SELECT
    c.channel_id, c.user_id, c.kind, c.name, c.address, c.status, c.secret_version, c.failures, c.tries, c.created_at,
    c.changed_at
FROM channels AS c
WHERE c.user_id = $1 AND c.status <> 'removed'
ORDER BY c.created_at, c.channel_id;

-- channels.lock: a person's channel, held
SELECT
    c.channel_id, c.user_id, c.kind, c.name, c.address, c.status, c.secret_version, c.failures, c.tries, c.created_at,
    c.changed_at
FROM channels AS c
WHERE c.channel_id = $1 AND c.user_id = $2 AND c.status <> 'removed'
FOR UPDATE;

-- channels.name: what a channel is called
SELECT name FROM channels WHERE channel_id = $1;

-- channels.turn: set the status of a channel
UPDATE channels
SET status = $2, address = CASE WHEN $2 = 'removed' THEN '' ELSE address END, failures = 0, tries = 0, changed_at = $3
WHERE channel_id = $1;

-- channels.renew: a channel has a newer secret
UPDATE channels SET secret_version = $2, tries = 0, changed_at = $3 WHERE channel_id = $1;

-- channels.miss: a wrong code was entered
UPDATE channels SET tries = tries + 1 WHERE channel_id = $1;

-- channels.fail: one more message was given up; returns how many in a row
UPDATE channels SET failures = failures + 1 WHERE channel_id = $1 RETURNING failures;

-- channels.succeed: something arrived: no failures in a row, and a channel that rested is awake
UPDATE channels SET failures = 0, status = CASE WHEN status = 'resting' THEN 'active' ELSE status END
WHERE channel_id = $1 AND (failures > 0 OR status = 'resting');

-- channels.of_people: the active channels of people, with the least severity of a topic and until when they are muted
SELECT c.channel_id, c.user_id, r.severity AS least, s.muted_until
FROM channels AS c
LEFT JOIN rules AS r ON r.channel_id = c.channel_id AND r.topic = $2
LEFT JOIN schedules AS s ON s.user_id = c.user_id
WHERE c.user_id = any($1::uuid[]) AND c.status = 'active'
ORDER BY c.channel_id;

-- channel_secrets.insert: keep a secret of a channel
INSERT INTO channel_secrets (channel_id, version, kek_version, wrapped_key, ciphertext, sealed_at)
VALUES ($1, $2, $3, $4, $5, $6);

-- channel_secrets.rewrap: another key wraps the data key of a secret
UPDATE channel_secrets SET kek_version = $3, wrapped_key = $4 WHERE channel_id = $1 AND version = $2;

-- channel_secrets.retire: older secrets of a channel hold for a while longer
UPDATE channel_secrets SET expires_at = least(expires_at, $3) WHERE channel_id = $1 AND version < $2;

-- channel_secrets.get: the secrets of a channel that hold, newest first
SELECT version, kek_version, wrapped_key, ciphertext, sealed_at
FROM channel_secrets
WHERE channel_id = $1 AND (expires_at IS NULL OR expires_at > $2)
ORDER BY version DESC;

-- channel_secrets.under_older: secrets whose data key another version wraps, held
SELECT channel_id, version, kek_version, wrapped_key, ciphertext
FROM channel_secrets
WHERE kek_version <> $1
ORDER BY channel_id, version
FOR UPDATE;

-- channel_secrets.forget: delete the secrets of a channel
DELETE FROM channel_secrets WHERE channel_id = $1;

-- channel_secrets.forget_ended: delete the secrets that hold no more
DELETE FROM channel_secrets WHERE expires_at <= $1;

-- rules.of: rules of a person's channels
SELECT r.channel_id, r.topic, r.severity
FROM rules AS r
INNER JOIN channels AS c ON c.channel_id = r.channel_id
WHERE c.user_id = $1
ORDER BY r.channel_id, r.topic;

-- rules.put: set rules of a channel
INSERT INTO rules (channel_id, topic, severity)
SELECT $1, n.topic, n.severity FROM unnest($2::text[], $3::text[]) AS n (topic, severity)
ON CONFLICT (channel_id, topic) DO UPDATE SET severity = excluded.severity;

-- rules.forget: delete the rules of a channel
DELETE FROM rules WHERE channel_id = $1;

-- schedules.get: when a person is left alone
SELECT time_zone, quiet_from, quiet_to, muted_until FROM schedules WHERE user_id = $1;

-- schedules.put: set when a person is left alone
INSERT INTO schedules (user_id, time_zone, quiet_from, quiet_to, muted_until, changed_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (user_id) DO UPDATE SET
    time_zone = excluded.time_zone, quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to,
    muted_until = excluded.muted_until, changed_at = excluded.changed_at;

-- sendings.plan: store what is to be sent, except where it is already
INSERT INTO sendings (sending_id, channel_id, user_id, purpose, message_id, severity, state, due_at, created_at)
SELECT n.sending_id, n.channel_id, n.user_id, $5, n.message_id, $6, 'due', $7, $7
FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[]) AS n (sending_id, channel_id, user_id, message_id)
ON CONFLICT (message_id, channel_id) DO NOTHING;

-- sendings.due: the oldest of each channel that is due, held, with what it says and when its person is left alone
SELECT
    d.sending_id, d.channel_id, d.user_id, d.purpose, d.message_id, d.severity, d.attempts, d.tried_at, d.created_at,
    c.kind AS channel_kind, c.address, m.kind, m.title, m.body, m.subject, m.created_at AS happened_at, h.time_zone,
    h.quiet_from, h.quiet_to, h.muted_until
FROM channels AS c
CROSS JOIN LATERAL (
    SELECT
        s.sending_id, s.channel_id, s.user_id, s.purpose, s.message_id, s.severity, s.attempts, s.tried_at, s.created_at
    FROM sendings AS s
    WHERE s.channel_id = c.channel_id AND s.state = 'due' AND s.due_at <= $1
    ORDER BY s.created_at, s.sending_id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
) AS d
LEFT JOIN messages AS m ON m.message_id = d.message_id
LEFT JOIN schedules AS h ON h.user_id = d.user_id
WHERE c.status <> 'removed'
ORDER BY d.created_at, d.sending_id
LIMIT $2;

-- sendings.attempt: an attempt is about to be made; unless it ends well before, the next one is made then
UPDATE sendings SET attempts = attempts + 1, tried_at = coalesce(tried_at, $2), due_at = $3
WHERE sending_id = any($1::uuid[]);

-- sendings.defer: not before then
UPDATE sendings SET due_at = $2 WHERE sending_id = $1;

-- sendings.hasten: look anew at what waits for a person and was not tried yet
UPDATE sendings SET due_at = $2 WHERE user_id = $1 AND state = 'due' AND attempts = 0;

-- sendings.retry: an attempt failed; the next one is made then
UPDATE sendings SET due_at = $2, code = $3, detail = $4 WHERE sending_id = $1 AND state = 'due';

-- sendings.end: a sending is over; no row comes back if it was before
UPDATE sendings SET state = $2, ended_at = $3, code = $4, detail = $5 WHERE sending_id = $1 AND state = 'due'
RETURNING sending_id;

-- sendings.withdraw: nothing more is sent by a channel
UPDATE sendings SET state = 'withdrawn', ended_at = $2 WHERE channel_id = $1 AND state = 'due';

-- sendings.count_asked: how many tests and codes a person had sent since
SELECT count(*) AS asked FROM sendings WHERE user_id = $1 AND purpose <> 'message' AND created_at > $2;

-- sendings.list: what was and is to be sent to a person, newest first
SELECT
    s.sending_id, s.channel_id, s.user_id, s.purpose, s.message_id, s.severity, coalesce(m.title, '') AS title, s.state,
    s.attempts, s.due_at, s.created_at, s.ended_at, s.code, s.detail
FROM sendings AS s
LEFT JOIN messages AS m ON m.message_id = s.message_id
WHERE s.user_id = $1
    AND ($3::uuid IS NULL OR s.channel_id = $3)
    AND ($4::text = '' OR s.state = $4)
    AND (
        $5::uuid IS NULL
        OR (s.created_at, s.sending_id) < (
            SELECT b.created_at, b.sending_id FROM sendings AS b WHERE b.sending_id = $5 AND b.user_id = $1
        )
    )
ORDER BY s.created_at DESC, s.sending_id DESC
LIMIT $2;

-- sendings.get: one of them
SELECT
    s.sending_id, s.channel_id, s.user_id, s.purpose, s.message_id, s.severity, coalesce(m.title, '') AS title, s.state,
    s.attempts, s.due_at, s.created_at, s.ended_at, s.code, s.detail
FROM sendings AS s
LEFT JOIN messages AS m ON m.message_id = s.message_id
WHERE s.sending_id = $1;
