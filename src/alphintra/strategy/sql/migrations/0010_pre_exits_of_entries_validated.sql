ALTER TABLE intents VALIDATE CONSTRAINT intents_exits_positive;
ALTER TABLE intents VALIDATE CONSTRAINT intents_one_stop;
ALTER TABLE deployments VALIDATE CONSTRAINT deployments_bars_held_counted;
