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
