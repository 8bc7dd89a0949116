-- The bare minimum of a durable order: the order, the event to publish, the audit row. No foreign keys, no checks.
CREATE TABLE orders (
    order_id uuid PRIMARY KEY,
    account_id uuid NOT NULL,
    client_order_id text NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL,
    qty numeric NOT NULL,
    price numeric NOT NULL,
    status text NOT NULL,
    created_at timestamptz NOT NULL,
    UNIQUE (account_id, client_order_id)
);
CREATE TABLE outbox (event_id uuid PRIMARY KEY, subject text NOT NULL, payload text NOT NULL);
CREATE TABLE audit (audit_id uuid PRIMARY KEY, actor text NOT NULL, detail text NOT NULL, at timestamptz NOT NULL);
