-- squawk-ignore-file ban-drop-constraint
-- The states an order can be in, and no others (decision 0016); the check is validated by the next file.
ALTER TABLE orders
DROP CONSTRAINT IF EXISTS orders_status_known,
ADD CONSTRAINT orders_status_known CHECK (
    status IN (
        'denied', 'held', 'pending_new', 'accepted', 'new', 'partially_filled', 'pending_cancel', 'pending_replace',
        'suspended', 'done_for_day', 'filled', 'canceled', 'expired', 'rejected', 'replaced', 'unknown'
    )
) NOT VALID;

-- Open orders of an account or of everybody, in order of time: the screen, the kill switch, cancel all.
CREATE INDEX IF NOT EXISTS orders_open_page_idx ON orders (account_id, created_at, order_id)
WHERE status IN ('held', 'pending_new', 'accepted', 'new', 'partially_filled', 'pending_cancel', 'pending_replace',
    'suspended', 'done_for_day', 'unknown');
