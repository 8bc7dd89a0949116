-- What orders of every type, group and replacement need: who belongs to whom, and what of each counts in the book.
-- Rows written before this have no counts; they count for themselves, as they did.
ALTER TABLE reservations ADD COLUMN IF NOT EXISTS is_reducing boolean NOT NULL DEFAULT false;

ALTER TABLE reservations ADD COLUMN IF NOT EXISTS leg text NOT NULL DEFAULT 'entry';

ALTER TABLE reservations ADD COLUMN IF NOT EXISTS group_id uuid;

ALTER TABLE reservations ADD COLUMN IF NOT EXISTS replaces uuid;

ALTER TABLE reservations ADD COLUMN IF NOT EXISTS carried_qty numeric(28, 9) NOT NULL DEFAULT 0;

ALTER TABLE reservations ADD COLUMN IF NOT EXISTS notional numeric(28, 9);

ALTER TABLE reservations ADD COLUMN IF NOT EXISTS spent numeric(56, 18) NOT NULL DEFAULT 0;

ALTER TABLE reservations ADD COLUMN IF NOT EXISTS counted_qty numeric(28, 9);

ALTER TABLE reservations ADD COLUMN IF NOT EXISTS counted_cash numeric(56, 18);

-- Made anew in the next statement: a migration that was cut short runs again.
-- squawk-ignore ban-drop-constraint
ALTER TABLE reservations DROP CONSTRAINT IF EXISTS reservations_amounts_are_finite;

ALTER TABLE reservations ADD CONSTRAINT reservations_amounts_are_finite CHECK (
    carried_qty >= 0 AND carried_qty < 'Infinity' AND spent >= 0 AND spent < 'Infinity'
    AND (notional IS NULL OR (notional > 0 AND notional < 'Infinity'))
    AND (counted_qty IS NULL OR (counted_qty >= 0 AND counted_qty < 'Infinity'))
    AND (counted_cash IS NULL OR (counted_cash >= 0 AND counted_cash < 'Infinity'))
) NOT VALID;

CREATE INDEX IF NOT EXISTS reservations_group_idx ON reservations (group_id) WHERE group_id IS NOT NULL;

CREATE INDEX IF NOT EXISTS reservations_replaces_idx ON reservations (replaces) WHERE replaces IS NOT NULL;
