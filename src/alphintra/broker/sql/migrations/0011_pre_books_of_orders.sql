-- Whose order it was that was decided on: the kill switch of a strategy takes its orders off their venue.
ALTER TABLE verdicts ADD COLUMN IF NOT EXISTS book_id uuid;
