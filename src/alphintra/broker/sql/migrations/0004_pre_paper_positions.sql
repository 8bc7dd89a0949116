ALTER TABLE venue_orders
VALIDATE CONSTRAINT venue_orders_words_known,
VALIDATE CONSTRAINT venue_orders_closed_iff_done,
VALIDATE CONSTRAINT venue_orders_qty_or_notional,
VALIDATE CONSTRAINT venue_orders_filled_within_qty,
VALIDATE CONSTRAINT venue_orders_prices_of_type,
VALIDATE CONSTRAINT venue_orders_grouped_unless_simple,
VALIDATE CONSTRAINT venue_orders_terms_finite;

ALTER TABLE connections VALIDATE CONSTRAINT connections_paper_settings;

-- What accounts hold at the paper venue: the sum over their executions, moved in the transaction that makes them.
CREATE TABLE IF NOT EXISTS paper_positions (
    account_id uuid NOT NULL REFERENCES connections (account_id),
    symbol text NOT NULL,
    qty numeric(28, 9) NOT NULL CHECK (qty > '-Infinity' AND qty < 'Infinity'),
    PRIMARY KEY (account_id, symbol)
);

INSERT INTO paper_positions (account_id, symbol, qty)
SELECT e.account_id, e.symbol, sum(CASE e.side WHEN 'buy' THEN e.qty ELSE -e.qty END)
FROM venue_executions AS e
GROUP BY e.account_id, e.symbol
ON CONFLICT (account_id, symbol) DO NOTHING;

-- Groups with something open that no stop covers, told once each.
CREATE TABLE IF NOT EXISTS protection_breaks (
    group_id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES connections (account_id),
    symbol text NOT NULL,
    qty numeric(28, 9) NOT NULL CHECK (qty > 0 AND qty < 'Infinity'),
    found_at timestamptz NOT NULL
);
