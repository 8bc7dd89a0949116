ALTER TABLE positions ADD COLUMN IF NOT EXISTS lots_opened bigint NOT NULL DEFAULT 0;

ALTER TABLE positions ADD COLUMN IF NOT EXISTS trades_opened bigint NOT NULL DEFAULT 0;

-- What was bought or sold short together; a quantity of zero is a closed lot.
CREATE TABLE IF NOT EXISTS lots (
    account_id uuid NOT NULL REFERENCES accounts (account_id),
    book_id uuid NOT NULL,
    symbol text NOT NULL,
    lot_no bigint NOT NULL CHECK (lot_no > 0),
    qty numeric(28, 9) NOT NULL CHECK (qty > '-Infinity' AND qty < 'Infinity'),
    cost numeric(28, 9) NOT NULL CHECK (cost > '-Infinity' AND cost < 'Infinity'),
    opened_at timestamptz NOT NULL,
    execution_id text NOT NULL,
    PRIMARY KEY (account_id, book_id, symbol, lot_no)
);

CREATE INDEX IF NOT EXISTS lots_open_idx ON lots (account_id, book_id, symbol, lot_no) WHERE qty <> 0;

-- The part of a lot that an execution closed, with the profit the tax asks for (first in, first out).
CREATE TABLE IF NOT EXISTS lot_closes (
    account_id uuid NOT NULL REFERENCES accounts (account_id),
    execution_id text NOT NULL CHECK (execution_id <> ''),
    book_id uuid NOT NULL,
    lot_no bigint NOT NULL CHECK (lot_no > 0),
    symbol text NOT NULL,
    qty numeric(28, 9) NOT NULL CHECK (qty > '-Infinity' AND qty < 'Infinity'),
    cost numeric(28, 9) NOT NULL CHECK (cost > '-Infinity' AND cost < 'Infinity'),
    proceeds numeric(28, 9) NOT NULL CHECK (proceeds > '-Infinity' AND proceeds < 'Infinity'),
    realized_pnl numeric(28, 9) NOT NULL CHECK (realized_pnl > '-Infinity' AND realized_pnl < 'Infinity'),
    opened_at timestamptz NOT NULL,
    closed_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, execution_id, book_id, lot_no),
    CONSTRAINT lot_closes_profit CHECK (realized_pnl = proceeds - cost)
);

CREATE INDEX IF NOT EXISTS lot_closes_account_closed_idx ON lot_closes (account_id, closed_at, execution_id);

-- Round trips: flat, open, flat again; closed_at says when, and is empty while the trade is under way.
CREATE TABLE IF NOT EXISTS trades (
    account_id uuid NOT NULL REFERENCES accounts (account_id),
    book_id uuid NOT NULL,
    symbol text NOT NULL,
    trade_no bigint NOT NULL CHECK (trade_no > 0),
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    entry_qty numeric(28, 9) NOT NULL CHECK (entry_qty >= 0 AND entry_qty < 'Infinity'),
    entry_amount numeric(28, 9) NOT NULL CHECK (entry_amount > '-Infinity' AND entry_amount < 'Infinity'),
    exit_amount numeric(28, 9) NOT NULL CHECK (exit_amount > '-Infinity' AND exit_amount < 'Infinity'),
    realized_pnl numeric(28, 9) NOT NULL CHECK (realized_pnl > '-Infinity' AND realized_pnl < 'Infinity'),
    fees numeric(28, 9) NOT NULL CHECK (fees > '-Infinity' AND fees < 'Infinity'),
    opened_at timestamptz NOT NULL,
    closed_at timestamptz CHECK (closed_at >= opened_at),
    PRIMARY KEY (account_id, book_id, symbol, trade_no)
);

CREATE INDEX IF NOT EXISTS trades_account_opened_idx ON trades (account_id, opened_at DESC, symbol, trade_no);

-- Reports of executions with something wrong about them, booked or not; never mended in silence. No reference to an
-- account or order: that there is none may be what is wrong.
CREATE TABLE IF NOT EXISTS booking_breaks (
    break_id uuid PRIMARY KEY,
    account_id uuid NOT NULL,
    order_id uuid NOT NULL,
    execution_id text NOT NULL,
    symbol text NOT NULL,
    code text NOT NULL CHECK (code <> ''),
    detail text NOT NULL,
    report text NOT NULL,
    is_booked boolean NOT NULL,
    found_at timestamptz NOT NULL
);

CREATE INDEX IF NOT EXISTS booking_breaks_account_idx ON booking_breaks (account_id, found_at DESC, break_id);

-- What was held before there were lots is one lot and one trade, at its average cost.
UPDATE positions SET lots_opened = 1, trades_opened = 1 WHERE qty <> 0 AND lots_opened = 0;

INSERT INTO lots (account_id, book_id, symbol, lot_no, qty, cost, opened_at, execution_id)
SELECT p.account_id, p.book_id, p.symbol, 1, p.qty, p.cost, p.updated_at, 'before-lots'
FROM positions AS p
WHERE p.qty <> 0 AND NOT EXISTS (
    SELECT FROM lots AS l WHERE l.account_id = p.account_id AND l.book_id = p.book_id AND l.symbol = p.symbol
);

INSERT INTO trades (account_id, book_id, symbol, trade_no, side, entry_qty, entry_amount, exit_amount, realized_pnl,
    fees, opened_at)
SELECT p.account_id, p.book_id, p.symbol, 1, CASE WHEN p.qty > 0 THEN 'buy' ELSE 'sell' END, abs(p.qty), abs(p.cost),
    0, 0, 0, p.updated_at
FROM positions AS p
WHERE p.qty <> 0 AND NOT EXISTS (
    SELECT FROM trades AS t WHERE t.account_id = p.account_id AND t.book_id = p.book_id AND t.symbol = p.symbol
);
