-- What 0019 asks of new rows holds for all of them.
ALTER TABLE holdings VALIDATE CONSTRAINT holdings_entries_counted;
