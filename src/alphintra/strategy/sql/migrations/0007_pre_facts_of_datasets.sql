-- What a dataset came from and is adjusted by beside its bars, and what was said of the file of an import.
ALTER TABLE datasets
ADD COLUMN IF NOT EXISTS dividends text[] NOT NULL DEFAULT '{}',
ADD COLUMN IF NOT EXISTS licence text NOT NULL DEFAULT '',
ADD COLUMN IF NOT EXISTS file_format text NOT NULL DEFAULT '',
ADD COLUMN IF NOT EXISTS file_hash text NOT NULL DEFAULT '',
ADD COLUMN IF NOT EXISTS zone text NOT NULL DEFAULT '',
ADD COLUMN IF NOT EXISTS stamps text NOT NULL DEFAULT 'open',
ADD COLUMN IF NOT EXISTS price_basis text NOT NULL DEFAULT 'raw',
ADD COLUMN IF NOT EXISTS issues text NOT NULL DEFAULT '[]';

ALTER TABLE imports
ADD COLUMN IF NOT EXISTS options text NOT NULL DEFAULT '{}';
