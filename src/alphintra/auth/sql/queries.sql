-- users.insert: store a person just registered
INSERT INTO users (user_id, email, role, password_hash, created_at) VALUES ($1, $2, $3, $4, $5);

-- users.by_email: find who logs in
SELECT user_id, email, role, password_hash, created_at, disabled_at FROM users WHERE email = $1;

-- users.get: read a person
SELECT user_id, email, role, password_hash, created_at, disabled_at FROM users WHERE user_id = $1;

-- users.lock: read a person and keep changes of what hangs on it in a row
SELECT user_id, email, role, password_hash, created_at, disabled_at FROM users WHERE user_id = $1 FOR UPDATE;

-- users.list: everybody, oldest first, with how many sessions and keys of theirs are in use
SELECT u.user_id, u.email, u.role, u.password_hash, u.created_at, u.disabled_at,
    f.confirmed_at IS NOT NULL AS has_second_factor,
    (
        SELECT count(*) FROM sessions AS s
        WHERE s.user_id = u.user_id AND s.ended_at IS NULL AND s.expires_at > $1 AND s.rotated_at > $2
    ) AS sessions,
    (SELECT count(*) FROM api_keys AS k WHERE k.user_id = u.user_id AND k.revoked_at IS NULL) AS keys
FROM users AS u
LEFT JOIN second_factors AS f ON f.user_id = u.user_id
ORDER BY u.created_at, u.user_id;

-- users.disable: keep a person out
UPDATE users SET disabled_at = $2 WHERE user_id = $1;

-- users.enable: let a person in again
UPDATE users SET disabled_at = NULL WHERE user_id = $1;

-- users.other_owner: whether another owner can sign in
SELECT EXISTS (SELECT FROM users WHERE role = 'owner' AND disabled_at IS NULL AND user_id <> $1);

-- users.owner_exists: whether the installation has an owner
SELECT EXISTS (SELECT FROM users WHERE role = 'owner');

-- users.rehash: store the hash under newer parameters, unless the password changed meanwhile
UPDATE users SET password_hash = $3 WHERE user_id = $1 AND password_hash = $2;

-- setup.lock: let one transaction at a time decide about the first owner; held until it ends
SELECT pg_advisory_xact_lock(hashtext('alphintra.auth.setup'));

-- setup.get: read a one-time token
SELECT expires_at, used_at, replaced_at FROM setup_tokens WHERE token_hash = $1;

-- setup.insert: store a one-time token
INSERT INTO setup_tokens (token_hash, created_at, expires_at) VALUES ($1, $2, $3);

-- setup.replace: let the tokens not used so far die
UPDATE setup_tokens SET replaced_at = $1 WHERE used_at IS NULL AND replaced_at IS NULL;

-- setup.use: mark a one-time token as used
UPDATE setup_tokens SET used_at = $2 WHERE token_hash = $1;

-- attempts.open: make sure there is a row to lock for an account and address
INSERT INTO login_failures (bucket, attempts, last_at, blocked_until) VALUES ($1, 0, $2, $2)
ON CONFLICT (bucket) DO NOTHING;

-- attempts.lock: read the count of attempts and hold it
SELECT attempts, last_at, blocked_until FROM login_failures WHERE bucket = $1 FOR UPDATE;

-- attempts.save: store the count of attempts
UPDATE login_failures SET attempts = $2, last_at = $3, blocked_until = $4 WHERE bucket = $1;

-- attempts.clear: start over after a log-in that succeeded
DELETE FROM login_failures WHERE bucket = $1;

-- attempts.forget: drop a batch of counts nobody added to for long
DELETE FROM login_failures WHERE bucket IN (
    SELECT bucket FROM login_failures WHERE last_at < $1 ORDER BY last_at LIMIT 100 FOR UPDATE SKIP LOCKED
);

-- sessions.insert: store the session of a log-in
INSERT INTO sessions (session_id, user_id, token_hash, rotations, signed_in_at, rotated_at, expires_at, address)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- sessions.open: a person's sessions that can be gone on with, newest first
SELECT session_id, user_id, token_hash, rotations, signed_in_at, rotated_at, expires_at, ended_at, proven_at, address
FROM sessions
WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2 AND rotated_at > $3
ORDER BY signed_in_at DESC, session_id;

-- sessions.lock: read a session to exchange its token or to end it
SELECT session_id, user_id, token_hash, rotations, signed_in_at, rotated_at, expires_at, ended_at, proven_at, address
FROM sessions WHERE session_id = $1 FOR UPDATE;

-- sessions.rotate: store the hash of the token that is valid from now on
UPDATE sessions SET token_hash = $2, rotations = $3, rotated_at = $4 WHERE session_id = $1;

-- sessions.prove: note that whoever has the session proved to be its person
UPDATE sessions SET proven_at = $2 WHERE session_id = $1;

-- sessions.end: end a session before its time
UPDATE sessions SET ended_at = $2, end_reason = $3 WHERE session_id = $1 AND ended_at IS NULL;

-- sessions.ended_since: sessions ended before their time since then, whose access tokens may still look valid
SELECT session_id FROM sessions WHERE ended_at >= $1 ORDER BY ended_at;

-- keys.insert: store a new API key
INSERT INTO api_keys (key_id, user_id, name, secret_hash, scopes, mode, created_at, account_id, addresses)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- keys.count: how many keys of a person are not revoked
SELECT count(*) FROM api_keys WHERE user_id = $1 AND revoked_at IS NULL;

-- keys.list: a person's keys, oldest first
SELECT key_id, user_id, name, secret_hash, scopes, mode, created_at, revoked_at, account_id, addresses
FROM api_keys WHERE user_id = $1 ORDER BY created_at, key_id;

-- keys.lock: read a key to revoke it
SELECT key_id, user_id, name, secret_hash, scopes, mode, created_at, revoked_at, account_id, addresses
FROM api_keys WHERE key_id = $1 FOR UPDATE;

-- keys.with_role: read a key and the role its person has now; none of a person who is disabled
SELECT k.key_id, k.user_id, k.name, k.secret_hash, k.scopes, k.mode, k.created_at, k.revoked_at, k.account_id,
    k.addresses, u.role
FROM api_keys AS k
JOIN users AS u ON u.user_id = k.user_id
WHERE k.key_id = $1 AND u.disabled_at IS NULL;

-- keys.revoke: mark a key as revoked
UPDATE api_keys SET revoked_at = $2 WHERE key_id = $1;

-- factors.get: read a person's authenticator app
SELECT user_id, sealed_seed, created_at, confirmed_at, last_step FROM second_factors WHERE user_id = $1;

-- factors.lock: read a person's authenticator app to use one of its codes or to change it
SELECT user_id, sealed_seed, created_at, confirmed_at, last_step FROM second_factors WHERE user_id = $1 FOR UPDATE;

-- factors.offer: store an app that is not confirmed yet, in the place of one that never was
INSERT INTO second_factors (user_id, sealed_seed, created_at) VALUES ($1, $2, $3)
ON CONFLICT (user_id) DO UPDATE
SET sealed_seed = excluded.sealed_seed, created_at = excluded.created_at, last_step = 0
WHERE second_factors.confirmed_at IS NULL
RETURNING user_id;

-- factors.confirm: ask for its codes from now on
UPDATE second_factors SET confirmed_at = $2, last_step = $3 WHERE user_id = $1;

-- factors.use: mark the codes up to this half minute as used
UPDATE second_factors SET last_step = $2 WHERE user_id = $1;

-- factors.remove: ask for no second factor any more
DELETE FROM second_factors WHERE user_id = $1;

-- recovery.insert: store a recovery code
INSERT INTO recovery_codes (code_hash, user_id, created_at) VALUES ($1, $2, $3);

-- recovery.use: use a person's code, once
UPDATE recovery_codes SET used_at = $3 WHERE code_hash = $1 AND user_id = $2 AND used_at IS NULL RETURNING code_hash;

-- recovery.left: how many codes of a person are unused
SELECT count(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL;

-- recovery.remove: drop a person's codes
DELETE FROM recovery_codes WHERE user_id = $1;
