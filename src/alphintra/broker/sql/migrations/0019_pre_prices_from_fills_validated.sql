-- Reads the table once, while it is written to.
ALTER TABLE venue_orders VALIDATE CONSTRAINT venue_orders_from_fill;
