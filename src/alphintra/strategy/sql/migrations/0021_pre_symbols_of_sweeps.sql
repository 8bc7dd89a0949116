-- What a sweep over several symbols runs over, in the order that settles ties; empty for those made before.
ALTER TABLE sweeps
ADD COLUMN IF NOT EXISTS symbols text [] NOT NULL DEFAULT '{}',
ADD COLUMN IF NOT EXISTS dataset_ids uuid [] NOT NULL DEFAULT '{}';
