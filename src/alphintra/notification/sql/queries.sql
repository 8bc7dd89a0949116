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

-- messages.list: a person's messages, newest first
SELECT message_id, kind, severity, title, body, subject, created_at, read_at
FROM messages
WHERE user_id = $1
ORDER BY created_at DESC, message_id DESC
LIMIT $2;

-- messages.list_unread: a person's messages not read yet, newest first
SELECT message_id, kind, severity, title, body, subject, created_at, read_at
FROM messages
WHERE user_id = $1 AND read_at IS NULL
ORDER BY created_at DESC, message_id DESC
LIMIT $2;

-- messages.count_unread: how many of a person's messages are not read yet
SELECT count(*) AS unread FROM messages WHERE user_id = $1 AND read_at IS NULL;

-- messages.mark_read: mark a person's message as read; the first time stays
UPDATE messages SET read_at = coalesce(read_at, $3)
WHERE message_id = $1 AND user_id = $2
RETURNING message_id, kind, severity, title, body, subject, created_at, read_at;
