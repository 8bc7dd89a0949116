-- squawk-ignore-file ban-drop-constraint
-- Groups of live accounts. An exit is `held` while orders of its own (`part_of`) work for it at the venue, one for each
-- step in which its entry filled.
ALTER TABLE live_orders
ADD COLUMN IF NOT EXISTS order_class text NOT NULL DEFAULT 'simple',
ADD COLUMN IF NOT EXISTS leg text NOT NULL DEFAULT 'entry',
ADD COLUMN IF NOT EXISTS group_id uuid,
ADD COLUMN IF NOT EXISTS part_of uuid,
DROP CONSTRAINT IF EXISTS live_orders_status_check,
DROP CONSTRAINT IF EXISTS live_orders_words_known,
DROP CONSTRAINT IF EXISTS live_orders_held_only_legs,
ADD CONSTRAINT live_orders_words_known CHECK (
    status IN (
        'held', 'queued', 'sending', 'unknown', 'review', 'working', 'filled', 'canceled', 'expired', 'rejected',
        'replaced'
    )
    AND order_class IN ('simple', 'oto', 'oco', 'bracket')
    AND leg IN ('entry', 'take_profit', 'stop_loss')
) NOT VALID,
ADD CONSTRAINT live_orders_held_only_legs CHECK (
    (status <> 'held' OR (leg <> 'entry' AND part_of IS NULL)) AND (part_of IS NULL OR group_id IS NOT NULL)
) NOT VALID;

CREATE INDEX IF NOT EXISTS live_orders_group_idx ON live_orders (group_id) WHERE group_id IS NOT NULL;
