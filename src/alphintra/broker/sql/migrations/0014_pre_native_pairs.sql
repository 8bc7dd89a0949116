-- squawk-ignore-file ban-drop-constraint
-- Exits that were sent as one, so that the venue itself takes off one what another fills: under whose id they were.
ALTER TABLE live_orders
ADD COLUMN IF NOT EXISTS pair_id uuid,
DROP CONSTRAINT IF EXISTS live_orders_pairs_of_parts,
ADD CONSTRAINT live_orders_pairs_of_parts CHECK (pair_id IS NULL OR part_of IS NOT NULL) NOT VALID;

CREATE INDEX IF NOT EXISTS live_orders_pair_idx ON live_orders (account_id, pair_id) WHERE pair_id IS NOT NULL;
