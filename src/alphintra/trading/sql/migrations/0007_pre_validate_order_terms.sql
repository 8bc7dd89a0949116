ALTER TABLE orders
VALIDATE CONSTRAINT orders_words_known,
VALIDATE CONSTRAINT orders_qty_or_notional,
VALIDATE CONSTRAINT orders_prices_of_type,
VALIDATE CONSTRAINT orders_terms_finite;
