-- squawk-ignore-file ban-drop-constraint
-- A deployment of several symbols counts the entries each of its positions is made of, as one of a single symbol does.
ALTER TABLE holdings
ADD COLUMN IF NOT EXISTS entries bigint NOT NULL DEFAULT 0,
ADD COLUMN IF NOT EXISTS last_entry numeric(28, 9) NOT NULL DEFAULT 0,
ADD COLUMN IF NOT EXISTS last_entry_order uuid,
DROP CONSTRAINT IF EXISTS holdings_entries_counted,
ADD CONSTRAINT holdings_entries_counted CHECK (
    entries >= 0 AND last_entry >= 0 AND last_entry < 'Infinity'
) NOT VALID;
