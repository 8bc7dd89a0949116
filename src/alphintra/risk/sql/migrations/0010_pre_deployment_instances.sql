-- Which instances run a deployment, and since when each is heard of without a pause.
CREATE TABLE IF NOT EXISTS deployment_instances (
    book_id uuid NOT NULL,
    instance text NOT NULL,
    build text NOT NULL,
    config_hash text NOT NULL,
    first_seen_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (book_id, instance)
);
