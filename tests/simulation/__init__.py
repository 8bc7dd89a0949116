"""Trading, risk and broker in one process, with time, chance, deliveries and crashes drawn from a seed."""
