-- squawk-ignore-file ban-drop-constraint
-- What venues kept as a fee of what was traded, beside the fee in the account's currency.
ALTER TABLE executions
ADD COLUMN IF NOT EXISTS fee_qty numeric(28, 9) NOT NULL DEFAULT 0,
DROP CONSTRAINT IF EXISTS executions_fee_qty_check,
ADD CONSTRAINT executions_fee_qty_check CHECK (fee_qty >= 0 AND fee_qty < 'Infinity') NOT VALID;
