-- squawk-ignore-file ban-drop-constraint, ban-drop-not-null
-- Every type, time in force and group. What stood against them goes; what comes instead is validated by the next file.
ALTER TABLE orders
ADD COLUMN IF NOT EXISTS notional numeric(28, 9),
ADD COLUMN IF NOT EXISTS stop_price numeric(28, 9),
ADD COLUMN IF NOT EXISTS trail_price numeric(28, 9),
ADD COLUMN IF NOT EXISTS trail_percent numeric(28, 9),
ADD COLUMN IF NOT EXISTS expire_at timestamptz,
ADD COLUMN IF NOT EXISTS extended_hours boolean NOT NULL DEFAULT false,
ADD COLUMN IF NOT EXISTS reduce_only boolean NOT NULL DEFAULT false,
ADD COLUMN IF NOT EXISTS position_intent text,
ADD COLUMN IF NOT EXISTS order_class text NOT NULL DEFAULT 'simple',
ADD COLUMN IF NOT EXISTS leg text NOT NULL DEFAULT 'entry',
ADD COLUMN IF NOT EXISTS group_id uuid,
ADD COLUMN IF NOT EXISTS replaces uuid,
ADD COLUMN IF NOT EXISTS replaced_by uuid,
ADD COLUMN IF NOT EXISTS resumes text,
ADD COLUMN IF NOT EXISTS final_qty numeric(28, 9),
ADD COLUMN IF NOT EXISTS carried_qty numeric(28, 9) NOT NULL DEFAULT 0,
ADD COLUMN IF NOT EXISTS submitted_at timestamptz,
ADD COLUMN IF NOT EXISTS triggered_at timestamptz,
ADD COLUMN IF NOT EXISTS filled_at timestamptz,
ADD COLUMN IF NOT EXISTS canceled_at timestamptz,
ADD COLUMN IF NOT EXISTS expired_at timestamptz,
ADD COLUMN IF NOT EXISTS failed_at timestamptz,
ADD COLUMN IF NOT EXISTS replaced_at timestamptz,
ALTER COLUMN qty DROP NOT NULL,
DROP CONSTRAINT IF EXISTS orders_type_check,
DROP CONSTRAINT IF EXISTS orders_time_in_force_check,
DROP CONSTRAINT IF EXISTS orders_limit_price_iff_limit,
DROP CONSTRAINT IF EXISTS orders_words_known,
DROP CONSTRAINT IF EXISTS orders_qty_or_notional,
DROP CONSTRAINT IF EXISTS orders_prices_of_type,
DROP CONSTRAINT IF EXISTS orders_terms_finite,
ADD CONSTRAINT orders_words_known CHECK (
    type IN ('market', 'limit', 'stop', 'stop_limit', 'trailing_stop')
    AND time_in_force IN ('day', 'gtc', 'ioc', 'fok', 'opg', 'cls', 'gtd')
    AND order_class IN ('simple', 'oto', 'oco', 'bracket')
    AND leg IN ('entry', 'take_profit', 'stop_loss')
) NOT VALID,
ADD CONSTRAINT orders_qty_or_notional CHECK (num_nonnulls(qty, notional) = 1) NOT VALID,
ADD CONSTRAINT orders_prices_of_type CHECK (
    (type IN ('limit', 'stop_limit')) = (limit_price IS NOT NULL)
    AND (type IN ('stop', 'stop_limit')) = (stop_price IS NOT NULL)
    AND num_nonnulls(trail_price, trail_percent) = (type = 'trailing_stop')::integer
    AND (time_in_force = 'gtd') = (expire_at IS NOT NULL)
) NOT VALID,
ADD CONSTRAINT orders_terms_finite CHECK (
    coalesce(notional > 0 AND notional < 'Infinity', true)
    AND coalesce(stop_price > 0 AND stop_price < 'Infinity', true)
    AND coalesce(trail_price > 0 AND trail_price < 'Infinity', true)
    AND coalesce(trail_percent > 0 AND trail_percent < 100, true)
    AND coalesce(final_qty >= 0 AND final_qty < 'Infinity', true)
    AND carried_qty >= 0 AND carried_qty < 'Infinity'
) NOT VALID;

-- Open orders of an account or of everybody, in order of time: the screen, the kill switch, cancel all.
CREATE INDEX IF NOT EXISTS orders_open_idx ON orders (account_id, created_at, order_id)
WHERE status IN ('created', 'pending_approval', 'held', 'pending_new', 'accepted', 'new', 'partially_filled',
    'pending_cancel', 'pending_replace', 'suspended', 'done_for_day', 'unknown');

-- The orders of a group, and the chain of replacements.
CREATE INDEX IF NOT EXISTS orders_group_idx ON orders (group_id) WHERE group_id IS NOT NULL;
