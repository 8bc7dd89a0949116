-- A deployment may trade several symbols: what it holds of each, and which symbol an intent is for.
-- Rows made before have no symbols of their own: theirs is the deployment's.
ALTER TABLE deployments
ADD COLUMN IF NOT EXISTS symbols text [] NOT NULL DEFAULT '{}';

ALTER TABLE intents
ADD COLUMN IF NOT EXISTS symbol text NOT NULL DEFAULT '';

CREATE TABLE IF NOT EXISTS holdings (
    deployment_id uuid NOT NULL REFERENCES deployments (deployment_id),
    symbol text NOT NULL CHECK (symbol <> ''),
    place bigint NOT NULL CHECK (place >= 0),
    qty numeric(28, 9) NOT NULL DEFAULT 0 CHECK (qty > '-Infinity' AND qty < 'Infinity'),
    cost numeric(28, 9) NOT NULL DEFAULT 0 CHECK (cost > '-Infinity' AND cost < 'Infinity'),
    realized_pnl numeric(28, 9) NOT NULL DEFAULT 0
    CHECK (realized_pnl > '-Infinity' AND realized_pnl < 'Infinity'),
    last_price numeric(28, 9) CHECK (last_price > 0 AND last_price < 'Infinity'),
    bars_held bigint NOT NULL DEFAULT 0 CHECK (bars_held >= 0),
    exit_owed text NOT NULL DEFAULT '',
    PRIMARY KEY (deployment_id, symbol)
);
