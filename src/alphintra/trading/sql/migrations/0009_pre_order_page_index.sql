-- An account's orders page by page in either direction, found without those of other accounts and without a sort.
CREATE INDEX IF NOT EXISTS orders_account_page_idx ON orders (account_id, created_at, order_id);
