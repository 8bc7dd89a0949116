-- What open reservations add up to, by account and symbol: a decision reads one row however many orders are open.
-- Kept by triggers, so that the former release, which runs while this is applied, keeps it too.
CREATE TABLE IF NOT EXISTS reservation_totals (
    account_id uuid NOT NULL,
    symbol text NOT NULL,
    open_orders bigint NOT NULL CHECK (open_orders >= 0),
    open_buy_qty numeric(38, 9) NOT NULL CHECK (open_buy_qty >= 0 AND open_buy_qty < 'Infinity'),
    open_sell_qty numeric(38, 9) NOT NULL CHECK (open_sell_qty >= 0 AND open_sell_qty < 'Infinity'),
    close_buy_qty numeric(38, 9) NOT NULL CHECK (close_buy_qty >= 0 AND close_buy_qty < 'Infinity'),
    close_sell_qty numeric(38, 9) NOT NULL CHECK (close_sell_qty >= 0 AND close_sell_qty < 'Infinity'),
    open_value numeric(66, 18) NOT NULL CHECK (open_value >= 0 AND open_value < 'Infinity'),
    reserved_cash numeric(66, 18) NOT NULL CHECK (reserved_cash >= 0 AND reserved_cash < 'Infinity'),
    CONSTRAINT reservation_totals_pkey PRIMARY KEY (account_id, symbol)
);

-- What each reservation counts: nothing once it has nothing open. Of one that may only reduce, no value is at stake.
CREATE OR REPLACE FUNCTION add_to_reservation_totals() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO reservation_totals (
            account_id, symbol, open_orders, open_buy_qty, open_sell_qty, close_buy_qty, close_sell_qty, open_value,
            reserved_cash
        )
        SELECT DISTINCT a.account_id, a.symbol, 0, 0, 0, 0, 0, 0, 0
        FROM after_it AS a JOIN before_it AS b ON b.order_id = a.order_id
        WHERE a.open_qty > 0 AND b.open_qty = 0
        ON CONFLICT (account_id, symbol) DO NOTHING;

        UPDATE reservation_totals AS t
        SET
            open_orders = t.open_orders + d.orders, open_buy_qty = t.open_buy_qty + d.open_buy,
            open_sell_qty = t.open_sell_qty + d.open_sell, close_buy_qty = t.close_buy_qty + d.close_buy,
            close_sell_qty = t.close_sell_qty + d.close_sell, open_value = t.open_value + d.worth,
            reserved_cash = t.reserved_cash + d.cash
        FROM (
            SELECT
                c.account_id, c.symbol, sum(c.sign) AS orders,
                coalesce(sum(c.sign * c.qty) FILTER (WHERE c.side = 'buy' AND NOT c.is_reducing), 0) AS open_buy,
                coalesce(sum(c.sign * c.qty) FILTER (WHERE c.side = 'sell' AND NOT c.is_reducing), 0) AS open_sell,
                coalesce(sum(c.sign * c.qty) FILTER (WHERE c.side = 'buy' AND c.is_reducing), 0) AS close_buy,
                coalesce(sum(c.sign * c.qty) FILTER (WHERE c.side = 'sell' AND c.is_reducing), 0) AS close_sell,
                coalesce(sum(c.sign * c.qty * c.price) FILTER (WHERE NOT c.is_reducing), 0) AS worth,
                coalesce(sum(c.sign * c.cash) FILTER (WHERE c.side = 'buy'), 0) AS cash
            FROM (
                SELECT
                    1 AS sign, account_id, symbol, side, is_reducing, price, coalesce(counted_qty, open_qty) AS qty,
                    coalesce(counted_cash, open_qty * price) AS cash
                FROM after_it WHERE open_qty > 0
                UNION ALL
                SELECT
                    -1, account_id, symbol, side, is_reducing, price, coalesce(counted_qty, open_qty),
                    coalesce(counted_cash, open_qty * price)
                FROM before_it WHERE open_qty > 0
            ) AS c
            GROUP BY c.account_id, c.symbol
        ) AS d
        WHERE
            t.account_id = d.account_id AND t.symbol = d.symbol
            AND (d.orders, d.open_buy, d.open_sell, d.close_buy, d.close_sell, d.worth, d.cash)
            IS DISTINCT FROM (0, 0, 0, 0, 0, 0, 0);
    ELSE
        INSERT INTO reservation_totals AS t (
            account_id, symbol, open_orders, open_buy_qty, open_sell_qty, close_buy_qty, close_sell_qty, open_value,
            reserved_cash
        )
        SELECT
            c.account_id, c.symbol, count(*),
            coalesce(sum(c.qty) FILTER (WHERE c.side = 'buy' AND NOT c.is_reducing), 0),
            coalesce(sum(c.qty) FILTER (WHERE c.side = 'sell' AND NOT c.is_reducing), 0),
            coalesce(sum(c.qty) FILTER (WHERE c.side = 'buy' AND c.is_reducing), 0),
            coalesce(sum(c.qty) FILTER (WHERE c.side = 'sell' AND c.is_reducing), 0),
            coalesce(sum(c.qty * c.price) FILTER (WHERE NOT c.is_reducing), 0),
            coalesce(sum(c.cash) FILTER (WHERE c.side = 'buy'), 0)
        FROM (
            SELECT
                account_id, symbol, side, is_reducing, price, coalesce(counted_qty, open_qty) AS qty,
                coalesce(counted_cash, open_qty * price) AS cash
            FROM after_it WHERE open_qty > 0
        ) AS c
        GROUP BY c.account_id, c.symbol
        ON CONFLICT (account_id, symbol) DO UPDATE
        SET
            open_orders = t.open_orders + excluded.open_orders,
            open_buy_qty = t.open_buy_qty + excluded.open_buy_qty,
            open_sell_qty = t.open_sell_qty + excluded.open_sell_qty,
            close_buy_qty = t.close_buy_qty + excluded.close_buy_qty,
            close_sell_qty = t.close_sell_qty + excluded.close_sell_qty,
            open_value = t.open_value + excluded.open_value,
            reserved_cash = t.reserved_cash + excluded.reserved_cash;
    END IF;
    RETURN NULL;
END
$$;

-- From the first of these until the end of this migration nobody else writes reservations, so that the sums hold.
CREATE OR REPLACE TRIGGER reservations_totals_of_new AFTER INSERT ON reservations
REFERENCING NEW TABLE AS after_it FOR EACH STATEMENT EXECUTE FUNCTION add_to_reservation_totals();

CREATE OR REPLACE TRIGGER reservations_totals_of_changed AFTER UPDATE ON reservations
REFERENCING OLD TABLE AS before_it NEW TABLE AS after_it
FOR EACH STATEMENT EXECUTE FUNCTION add_to_reservation_totals();

INSERT INTO reservation_totals (
    account_id, symbol, open_orders, open_buy_qty, open_sell_qty, close_buy_qty, close_sell_qty, open_value,
    reserved_cash
)
SELECT
    c.account_id, c.symbol, count(*),
    coalesce(sum(c.qty) FILTER (WHERE c.side = 'buy' AND NOT c.is_reducing), 0),
    coalesce(sum(c.qty) FILTER (WHERE c.side = 'sell' AND NOT c.is_reducing), 0),
    coalesce(sum(c.qty) FILTER (WHERE c.side = 'buy' AND c.is_reducing), 0),
    coalesce(sum(c.qty) FILTER (WHERE c.side = 'sell' AND c.is_reducing), 0),
    coalesce(sum(c.qty * c.price) FILTER (WHERE NOT c.is_reducing), 0),
    coalesce(sum(c.cash) FILTER (WHERE c.side = 'buy'), 0)
FROM (
    SELECT
        account_id, symbol, side, is_reducing, price, coalesce(counted_qty, open_qty) AS qty,
        coalesce(counted_cash, open_qty * price) AS cash
    FROM reservations WHERE open_qty > 0
) AS c
GROUP BY c.account_id, c.symbol
ON CONFLICT (account_id, symbol) DO NOTHING;

-- The few whose outcome is unknown, and the best prices that rest, are found without reading the open orders.
CREATE INDEX IF NOT EXISTS reservations_unknown_idx ON reservations (account_id, symbol)
WHERE is_unknown AND open_qty > 0;

CREATE INDEX IF NOT EXISTS reservations_resting_idx ON reservations (account_id, symbol, side, limit_price)
WHERE open_qty > 0;

-- The index before does all this one did.
-- squawk-ignore require-concurrent-index-deletion
DROP INDEX IF EXISTS reservations_open_idx;
