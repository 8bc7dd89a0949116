ALTER TABLE intents VALIDATE CONSTRAINT intents_prices_positive;
