-- squawk-ignore-file ban-drop-constraint, ban-drop-not-null
-- The paper venue takes every type, time in force and group. What stood against them goes; what comes instead is
-- validated by the next file.
ALTER TABLE venue_orders
ALTER COLUMN qty DROP NOT NULL,
ADD COLUMN IF NOT EXISTS notional numeric(28, 9),
ADD COLUMN IF NOT EXISTS stop_price numeric(28, 9),
ADD COLUMN IF NOT EXISTS trail_price numeric(28, 9),
ADD COLUMN IF NOT EXISTS trail_percent numeric(28, 9),
ADD COLUMN IF NOT EXISTS expire_at timestamptz,
ADD COLUMN IF NOT EXISTS extended_hours boolean NOT NULL DEFAULT false,
ADD COLUMN IF NOT EXISTS reduce_only boolean NOT NULL DEFAULT false,
ADD COLUMN IF NOT EXISTS order_class text NOT NULL DEFAULT 'simple',
ADD COLUMN IF NOT EXISTS leg text NOT NULL DEFAULT 'entry',
ADD COLUMN IF NOT EXISTS group_id uuid,
ADD COLUMN IF NOT EXISTS replaces uuid,
ADD COLUMN IF NOT EXISTS prior_qty numeric(28, 9) NOT NULL DEFAULT 0,
ADD COLUMN IF NOT EXISTS allowed_qty numeric(28, 9),
ADD COLUMN IF NOT EXISTS spent numeric(28, 9) NOT NULL DEFAULT 0,
ADD COLUMN IF NOT EXISTS hwm numeric(28, 9),
ADD COLUMN IF NOT EXISTS triggered_at timestamptz,
ADD COLUMN IF NOT EXISTS works_until timestamptz,
DROP CONSTRAINT IF EXISTS venue_orders_type_check,
DROP CONSTRAINT IF EXISTS venue_orders_time_in_force_check,
DROP CONSTRAINT IF EXISTS venue_orders_status_check,
DROP CONSTRAINT IF EXISTS venue_orders_check,
DROP CONSTRAINT IF EXISTS venue_orders_limit_price_iff_limit,
DROP CONSTRAINT IF EXISTS venue_orders_closed_iff_done,
DROP CONSTRAINT IF EXISTS venue_orders_words_known,
DROP CONSTRAINT IF EXISTS venue_orders_qty_or_notional,
DROP CONSTRAINT IF EXISTS venue_orders_filled_within_qty,
DROP CONSTRAINT IF EXISTS venue_orders_prices_of_type,
DROP CONSTRAINT IF EXISTS venue_orders_grouped_unless_simple,
DROP CONSTRAINT IF EXISTS venue_orders_terms_finite,
ADD CONSTRAINT venue_orders_words_known CHECK (
    type IN ('market', 'limit', 'stop', 'stop_limit', 'trailing_stop')
    AND time_in_force IN ('day', 'gtc', 'ioc', 'fok', 'opg', 'cls', 'gtd')
    AND status IN ('sending', 'held', 'working', 'filled', 'canceled', 'expired', 'replaced')
    AND order_class IN ('simple', 'oto', 'oco', 'bracket')
    AND leg IN ('entry', 'take_profit', 'stop_loss')
) NOT VALID,
ADD CONSTRAINT venue_orders_closed_iff_done CHECK (
    (status IN ('sending', 'held', 'working')) = (closed_at IS NULL)
) NOT VALID,
ADD CONSTRAINT venue_orders_qty_or_notional CHECK (num_nonnulls(qty, notional) = 1) NOT VALID,
ADD CONSTRAINT venue_orders_filled_within_qty CHECK (
    filled_qty >= 0 AND filled_qty < 'Infinity' AND prior_qty >= 0 AND coalesce(filled_qty + prior_qty <= qty, true)
) NOT VALID,
ADD CONSTRAINT venue_orders_prices_of_type CHECK (
    (type IN ('limit', 'stop_limit')) = (limit_price IS NOT NULL)
    AND (type IN ('stop', 'stop_limit')) = (stop_price IS NOT NULL)
    AND num_nonnulls(trail_price, trail_percent) = (type = 'trailing_stop')::integer
    AND (time_in_force = 'gtd') = (expire_at IS NOT NULL)
) NOT VALID,
ADD CONSTRAINT venue_orders_grouped_unless_simple CHECK ((order_class = 'simple') = (group_id IS NULL)) NOT VALID,
ADD CONSTRAINT venue_orders_terms_finite CHECK (
    coalesce(notional > 0 AND notional < 'Infinity', true)
    AND coalesce(stop_price > 0 AND stop_price < 'Infinity', true)
    AND coalesce(trail_price > 0 AND trail_price < 'Infinity', true)
    AND coalesce(trail_percent > 0 AND trail_percent < 100, true)
    AND coalesce(allowed_qty >= 0 AND allowed_qty < 'Infinity', true)
    AND coalesce(hwm > 0 AND hwm < 'Infinity', true)
    AND spent >= 0 AND spent < 'Infinity'
) NOT VALID;

CREATE INDEX IF NOT EXISTS venue_orders_group_idx ON venue_orders (group_id) WHERE group_id IS NOT NULL;

-- Few at a time, and asked for by the kill switch alone.
CREATE INDEX IF NOT EXISTS venue_orders_held_idx ON venue_orders (account_id) WHERE status = 'held';

CREATE INDEX IF NOT EXISTS venue_orders_until_idx ON venue_orders (feed_id, works_until)
WHERE status = 'working' AND works_until IS NOT NULL;

ALTER TABLE venue_executions ADD COLUMN IF NOT EXISTS is_ambiguous boolean NOT NULL DEFAULT false;

ALTER TABLE connections
ADD COLUMN IF NOT EXISTS participation numeric(28, 9),
ADD COLUMN IF NOT EXISTS reject_bps numeric(28, 9) NOT NULL DEFAULT 0,
ADD COLUMN IF NOT EXISTS latency_bars bigint NOT NULL DEFAULT 0,
DROP CONSTRAINT IF EXISTS connections_paper_settings,
ADD CONSTRAINT connections_paper_settings CHECK (
    coalesce(participation > 0 AND participation <= 1, true)
    AND reject_bps >= 0 AND reject_bps <= 10000
    AND latency_bars >= 0 AND latency_bars <= 100
) NOT VALID;
