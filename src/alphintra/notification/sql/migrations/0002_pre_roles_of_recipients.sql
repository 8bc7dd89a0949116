-- Alerts go to whoever watches risk: owner and operator. Of people registered before this the role is not known.
ALTER TABLE recipients ADD COLUMN IF NOT EXISTS role text NOT NULL DEFAULT '';
