-- The rows there were before 0011 are read once, without keeping writers out.
ALTER TABLE scope_kills VALIDATE CONSTRAINT scope_kills_scope_check;
