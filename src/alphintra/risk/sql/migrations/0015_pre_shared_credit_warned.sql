-- The share of shared credit that raises an alert when it is crossed, percent.
ALTER TABLE shared_limits ADD COLUMN IF NOT EXISTS credit_warn_pct numeric(28, 9) NOT NULL DEFAULT 80
CONSTRAINT shared_limits_warn_check CHECK (credit_warn_pct > 0 AND credit_warn_pct <= 100);
