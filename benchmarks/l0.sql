BEGIN;
INSERT INTO orders
VALUES (uuidv7(), '018f0000-0000-7000-8000-000000000001', uuidv7()::text, 'AAPL', 'buy', 1, 101.25, 'new', now());
INSERT INTO outbox VALUES (uuidv7(), 'trading.order.submitted', repeat('x', 230));
INSERT INTO audit VALUES (uuidv7(), 'user:018f0000-0000-7000-8000-000000000002', repeat('y', 230), now());
COMMIT;
