-- The rows there were before 0004 are read once, without keeping writers out.
ALTER TABLE reservations VALIDATE CONSTRAINT reservations_amounts_are_finite;
