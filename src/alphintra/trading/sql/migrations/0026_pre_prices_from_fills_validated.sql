-- Reads the table once, while it is written to.
ALTER TABLE orders VALIDATE CONSTRAINT orders_from_fill;
