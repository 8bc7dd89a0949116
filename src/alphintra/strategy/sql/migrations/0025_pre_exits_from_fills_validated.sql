-- Reads the table once, while it is written to.
ALTER TABLE intents VALIDATE CONSTRAINT intents_exits_from_fill;
