-- A part of an account that is kept apart: a deployment's capital, cash and profit. What is in no book is unassigned,
-- and is what is left of the account when its books are taken away.
CREATE TABLE IF NOT EXISTS books (
    account_id uuid NOT NULL REFERENCES accounts (account_id),
    book_id uuid NOT NULL,
    name text NOT NULL DEFAULT '',
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'released')),
    capital numeric(28, 9) NOT NULL DEFAULT 0 CHECK (capital >= 0 AND capital < 'Infinity'),
    cash numeric(28, 9) NOT NULL DEFAULT 0 CHECK (cash > '-Infinity' AND cash < 'Infinity'),
    realized_pnl numeric(28, 9) NOT NULL DEFAULT 0 CHECK (realized_pnl > '-Infinity' AND realized_pnl < 'Infinity'),
    fees numeric(28, 9) NOT NULL DEFAULT 0 CHECK (fees > '-Infinity' AND fees < 'Infinity'),
    opened_at timestamptz,
    PRIMARY KEY (account_id, book_id),
    CONSTRAINT books_not_the_rest CHECK (book_id <> '00000000-0000-0000-0000-000000000000')
);

ALTER TABLE ledger_entries ADD COLUMN IF NOT EXISTS book_id uuid NOT NULL
DEFAULT '00000000-0000-0000-0000-000000000000';

CREATE UNIQUE INDEX IF NOT EXISTS ledger_entries_line_key ON ledger_entries (transaction_id, book_id, ledger_account);

-- A transfer has two lines of cash: the index above takes the place of this one.
-- squawk-ignore ban-drop-constraint
ALTER TABLE ledger_entries DROP CONSTRAINT IF EXISTS ledger_entries_once_key;

-- What books did before they were kept.
INSERT INTO books (account_id, book_id, cash, realized_pnl, fees)
SELECT p.account_id, p.book_id, sum(p.realized_pnl - p.fees - p.cost), sum(p.realized_pnl), sum(p.fees)
FROM positions AS p
WHERE p.book_id <> '00000000-0000-0000-0000-000000000000'
GROUP BY p.account_id, p.book_id
ON CONFLICT DO NOTHING;
