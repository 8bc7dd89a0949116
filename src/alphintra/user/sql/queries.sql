-- profiles.insert: store the profile of a person just registered; nothing happens if it exists
INSERT INTO profiles (user_id, email, display_name, locale, time_zone, version, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (user_id) DO NOTHING;

-- profiles.get: read a profile
SELECT user_id, email, display_name, locale, time_zone, version, updated_at
FROM profiles WHERE user_id = $1;

-- profiles.lock: read a profile to change it
SELECT user_id, email, display_name, locale, time_zone, version, updated_at
FROM profiles WHERE user_id = $1 FOR UPDATE;

-- profiles.update: store a changed profile
UPDATE profiles SET display_name = $2, locale = $3, time_zone = $4, version = $5, updated_at = $6
WHERE user_id = $1;

-- preferences.list: read a person's preferences
SELECT name, value FROM preferences WHERE user_id = $1 ORDER BY name;

-- preferences.clear: forget a person's preferences before the new ones are stored
DELETE FROM preferences WHERE user_id = $1;

-- preferences.put: store one preference
INSERT INTO preferences (user_id, name, value, updated_at) VALUES ($1, $2, $3, $4);

-- watchlists.insert: store a new watchlist; no row comes back where the name is taken
INSERT INTO watchlists (watchlist_id, user_id, account_id, name, symbols, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $6)
ON CONFLICT ON CONSTRAINT watchlists_name_once DO NOTHING
RETURNING watchlist_id;

-- watchlists.count: how many watchlists a person has
SELECT count(*) FROM watchlists WHERE user_id = $1;

-- watchlists.list: read a person's watchlists of an account, oldest first
SELECT watchlist_id, user_id, account_id, name, symbols, created_at, updated_at FROM watchlists
WHERE user_id = $1 AND account_id = $2
ORDER BY created_at, watchlist_id;

-- watchlists.get: read one of a person's watchlists of an account, by id or name
SELECT watchlist_id, user_id, account_id, name, symbols, created_at, updated_at FROM watchlists
WHERE user_id = $1 AND account_id = $2 AND (watchlist_id = $3 OR name = $4);

-- watchlists.lock: read one of a person's watchlists of an account to change it, by id or name
SELECT watchlist_id, user_id, account_id, name, symbols, created_at, updated_at FROM watchlists
WHERE user_id = $1 AND account_id = $2 AND (watchlist_id = $3 OR name = $4)
FOR UPDATE;

-- watchlists.name_taken: whether another watchlist of the account has the name
SELECT EXISTS (
    SELECT 1 FROM watchlists WHERE user_id = $1 AND account_id = $2 AND name = $3 AND watchlist_id <> $4
);

-- watchlists.update: store a changed watchlist
UPDATE watchlists SET name = $2, symbols = $3, updated_at = $4 WHERE watchlist_id = $1;

-- watchlists.delete: forget a watchlist
DELETE FROM watchlists WHERE watchlist_id = $1;
