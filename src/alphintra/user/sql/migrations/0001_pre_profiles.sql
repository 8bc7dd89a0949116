CREATE TABLE IF NOT EXISTS profiles (
    user_id uuid PRIMARY KEY,
    email text NOT NULL,
    display_name text NOT NULL,
    locale text NOT NULL,
    time_zone text NOT NULL,
    version bigint NOT NULL CHECK (version > 0),
    updated_at timestamptz NOT NULL
);

CREATE TABLE IF NOT EXISTS preferences (
    user_id uuid NOT NULL REFERENCES profiles (user_id),
    name text NOT NULL,
    value text NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, name)
);
