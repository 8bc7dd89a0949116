"""What each figure is: its name for people, its formula, its unit and where the formula is from. Free of numpy."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MetricDocument", "metric_documents"]


@dataclass(frozen=True, slots=True)
class MetricDocument:
    """One figure for people: field name, label, formula, unit, the source of the formula and what it means.

    ``undefined`` says why it may have no value, empty for one that always has.
    """

    name: str
    label: str
    formula: str
    unit: str
    source: str
    meaning: str
    undefined: str = ""


def metric_documents() -> tuple[MetricDocument, ...]:
    """Return what every figure is, in the order they are shown."""
    return tuple(MetricDocument(*row, undefined=_UNDEFINED.get(row[0], "")) for row in _DOCUMENTS)


_COMMON = "common definition"
_PRADO = "Bailey and Lopez de Prado 2012"
_FRACTION, _RATIO, _CASH, _DAYS = "fraction", "ratio", "currency", "days"

_DOCUMENTS = (
    ("final_equity", "Final equity", "cash + what is held at the last close", _CASH, _COMMON, "worth at the end"),
    ("total_return", "Total return", "E_T / E_0 - 1", _FRACTION, _COMMON, "gain or loss on the starting cash"),
    (
        "cagr",
        "CAGR",
        "(E_T / E_0)^(365.25 / days) - 1",
        "fraction per year",
        _COMMON,
        "the same as an even rate per year",
    ),
    (
        "volatility",
        "Volatility",
        "sd(r, n - 1) * sqrt(P), r daily returns, P days a year",
        "fraction per year",
        _COMMON,
        "how much the value swings in a year",
    ),
    (
        "sharpe",
        "Sharpe ratio",
        "mean(r - rf) / sd(r - rf, n - 1) * sqrt(P)",
        _RATIO,
        "Sharpe 1994",
        "gain per swing; above 1 is good, below 0 a loss",
    ),
    (
        "sortino",
        "Sortino ratio",
        "mean(r - rf) * sqrt(P) / sqrt(sum(min(r - rf, 0)^2) / n), n counts all days",
        _RATIO,
        "Sortino and Price 1994",
        "gain per downward swing",
    ),
    (
        "psr",
        "Probabilistic Sharpe",
        "Phi(SR * sqrt(n - 1) / sqrt(1 - g3 SR + (g4 - 1) / 4 SR^2)), SR per day",
        "probability",
        _PRADO,
        "probability that the true Sharpe ratio is above 0, for one trial",
    ),
    ("max_drawdown", "Maximum drawdown", "max(1 - E / running peak of E)", _FRACTION, _COMMON, "the deepest fall"),
    (
        "max_drawdown_bars",
        "Longest drawdown",
        "most bars in a row below an earlier peak",
        "bars",
        _COMMON,
        "longest time below an earlier peak, in bars",
    ),
    (
        "max_drawdown_days",
        "Longest drawdown in days",
        "most days from a peak until it was regained or the run ended",
        _DAYS,
        _COMMON,
        "longest time below an earlier peak",
    ),
    (
        "recovery_days",
        "Recovery",
        "days from the lowest point of the deepest fall until its peak was regained",
        _DAYS,
        _COMMON,
        "how long the way back up took; - if it was not over",
    ),
    ("calmar", "Calmar ratio", "CAGR / maximum drawdown", _RATIO, "Young 1991", "yearly gain per deepest fall"),
    (
        "ulcer",
        "Ulcer index",
        "sqrt(mean((1 - E / running peak of E)^2))",
        _FRACTION,
        "Martin 1987",
        "depth and length of falls in one number",
    ),
    (
        "var_95",
        "Value at risk 95 %",
        "-(the ceil(0.05 n)-th lowest r)",
        "fraction per day",
        _COMMON,
        "a day in twenty loses more",
    ),
    (
        "cvar_95",
        "Expected shortfall 95 %",
        "-mean(the ceil(0.05 n) lowest r)",
        "fraction per day",
        "Acerbi and Tasche 2002",
        "what such a day loses on average",
    ),
    ("skewness", "Skewness", "m3 / m2^1.5 of r", _RATIO, _COMMON, "below 0: rare large losses"),
    ("kurtosis", "Kurtosis", "m4 / m2^2 of r, 3 for the normal one", _RATIO, _COMMON, "above 3: more extreme days"),
    ("omega", "Omega ratio", "sum(gains of r - rf) / sum(losses of r - rf)", _RATIO, "Keating 2002", "gains per loss"),
    ("best_day", "Best day", "max(r)", _FRACTION, _COMMON, "largest gain of a day"),
    ("worst_day", "Worst day", "min(r)", _FRACTION, _COMMON, "largest loss of a day"),
    ("days", "Days", "n, number of daily returns", _DAYS, _COMMON, "what the figures of returns rest on"),
    (
        "periods_per_year",
        "Days per year",
        "P = 252 for an exchange, 365 where it always trades",
        _DAYS,
        _COMMON,
        "by which figures are annualised",
    ),
    (
        "benchmark_return",
        "Benchmark return",
        "B_T / B_0 - 1",
        _FRACTION,
        _COMMON,
        "what buying and holding would have brought, without costs",
    ),
    (
        "alpha",
        "Alpha",
        "(mean(r - rf) - beta * mean(b - rf)) * P",
        "fraction per year",
        "Jensen 1968",
        "gain the benchmark does not explain",
    ),
    (
        "beta",
        "Beta",
        "cov(r - rf, b - rf) / var(b - rf)",
        _RATIO,
        "Sharpe 1964",
        "how far it follows the benchmark",
    ),
    (
        "correlation",
        "Correlation",
        "cov(r, b) / (sd(r) * sd(b))",
        _RATIO,
        _COMMON,
        "how closely it follows the benchmark",
    ),
    (
        "information_ratio",
        "Information ratio",
        "mean(r - b) / sd(r - b, n - 1) * sqrt(P)",
        _RATIO,
        "Goodwin 1998",
        "gain over the benchmark per swing against it",
    ),
    (
        "tracking_error",
        "Tracking error",
        "sd(r - b, n - 1) * sqrt(P)",
        "fraction per year",
        _COMMON,
        "how far it swings away from the benchmark",
    ),
    ("exposure", "Exposure", "bars with a position / all bars", _FRACTION, _COMMON, "share of the time in the market"),
    (
        "gross_exposure",
        "Gross exposure",
        "mean(sum(abs(value held)) / E)",
        _FRACTION,
        _COMMON,
        "how much was invested on average",
    ),
    (
        "net_exposure",
        "Net exposure",
        "mean(sum(value held) / E)",
        _FRACTION,
        _COMMON,
        "the same, short positions counted against long ones",
    ),
    ("leverage_max", "Highest leverage", "max(sum(abs(value held)) / E)", _RATIO, _COMMON, "most that was invested"),
    (
        "turnover",
        "Turnover",
        "sum(traded amounts) / (2 * mean(E)) / years",
        "times per year",
        _COMMON,
        "how often the whole account is traded in a year",
    ),
    (
        "capacity",
        "Capacity",
        "min over bars of 1 % * price * volume * E / traded amount",
        _CASH,
        "volume-share cap",
        "largest account that never takes more than 1 % of a bar's volume",
    ),
    (
        "trade_count",
        "Closed trades",
        "flat to open to flat counts once",
        "trades",
        _COMMON,
        "positions opened and closed",
    ),
    ("long_count", "Long trades", "closed trades that bought first", "trades", _COMMON, "of them bought first"),
    (
        "win_rate",
        "Win rate",
        "trades with net > 0 / closed trades",
        _FRACTION,
        _COMMON,
        "share of the trades that gained",
    ),
    (
        "payoff",
        "Payoff ratio",
        "mean(net of wins) / abs(mean(net of losses))",
        _RATIO,
        _COMMON,
        "average gain per average loss",
    ),
    (
        "profit_factor",
        "Profit factor",
        "sum(net of wins) / abs(sum(net of losses))",
        _RATIO,
        _COMMON,
        "gains per unit of losses; above 1 gains",
    ),
    (
        "expectancy",
        "Expectancy",
        "W * mean(win) - L * mean(loss) = mean(net of trades)",
        _CASH,
        "Tharp 1998",
        "average gain per trade",
    ),
    ("best_trade", "Best trade", "max(net of trades)", _CASH, _COMMON, "largest gain of a trade"),
    ("worst_trade", "Worst trade", "min(net of trades)", _CASH, _COMMON, "largest loss of a trade"),
    (
        "sqn",
        "System quality number",
        "sqrt(trades) * mean(net) / sd(net, n - 1)",
        _RATIO,
        "Tharp 2008",
        "how surely the average trade gains; above 2 is good",
    ),
    (
        "kelly",
        "Kelly fraction",
        "W - (1 - W) / payoff",
        _FRACTION,
        "Kelly 1956",
        "stake of fastest growth if the past were the future",
    ),
    (
        "mae_mean",
        "Adverse excursion",
        "mean of max((entry - low) / entry, 0) while open, mirrored for shorts",
        _FRACTION,
        "Sweeney 1996",
        "how far the average trade went against you",
    ),
    (
        "mfe_mean",
        "Favourable excursion",
        "mean of max((high - entry) / entry, 0) while open, mirrored for shorts",
        _FRACTION,
        "Sweeney 1996",
        "how far the average trade went your way",
    ),
    (
        "duration_bars",
        "Duration in bars",
        "mean(bars from entry to exit)",
        "bars",
        _COMMON,
        "length of the average trade",
    ),
    ("duration_days", "Duration", "mean(days from entry to exit)", _DAYS, _COMMON, "length of the average trade"),
    ("longest_wins", "Longest winning streak", "most wins in a row", "trades", _COMMON, "most wins in a row"),
    ("longest_losses", "Longest losing streak", "most losses in a row", "trades", _COMMON, "most losses in a row"),
    ("fees_total", "Fees", "sum of the fees of all fills", _CASH, _COMMON, "paid in fees"),
    (
        "slippage_total",
        "Slippage",
        "sum(qty * abs(fill price - price before slippage))",
        _CASH,
        _COMMON,
        "lost to worse prices",
    ),
    ("borrow_total", "Borrowing", "sum of what was paid to hold short or on credit", _CASH, _COMMON, "paid to borrow"),
    ("cost_total", "All costs", "fees + slippage + borrowing", _CASH, _COMMON, "paid in all"),
    (
        "cost_share",
        "Costs of the gain",
        "all costs / (E_T - E_0 + all costs)",
        _FRACTION,
        _COMMON,
        "share of the gain before costs that they took",
    ),
    (
        "break_even_cost",
        "Break-even cost",
        "(E_T - E_0 + all costs) / closed trades",
        _CASH,
        _COMMON,
        "cost per trade at which nothing would be left",
    ),
)

_FEW_DAYS, _FLAT_DAYS = "fewer than two days", "fewer than two days, or returns that do not move"
_NO_FALL, _NO_TRADE, _BROKE = "no fall", "no closed trade", "the book was worth nothing at some time"
_NO_BENCHMARK = "no benchmark, or one that does not move"
_UNDEFINED = {
    "total_return": "no bars",
    "cagr": "no time passed, or the end is below zero",
    "volatility": _FEW_DAYS,
    "sharpe": _FLAT_DAYS,
    "sortino": "no day below the risk-free rate",
    "psr": _FLAT_DAYS,
    "max_drawdown": "no bars",
    "max_drawdown_bars": "no bars",
    "max_drawdown_days": "no bars",
    "recovery_days": "not regained before the end",
    "calmar": _NO_FALL,
    "ulcer": "no bars",
    "var_95": "too few days",
    "cvar_95": "too few days",
    "skewness": _FLAT_DAYS,
    "kurtosis": _FLAT_DAYS,
    "omega": "no day below the risk-free rate",
    "best_day": "no days",
    "worst_day": "no days",
    **dict.fromkeys(
        ("benchmark_return", "alpha", "beta", "correlation", "information_ratio", "tracking_error"), _NO_BENCHMARK
    ),
    "exposure": "no bars",
    **dict.fromkeys(("gross_exposure", "net_exposure", "leverage_max"), _BROKE),
    "turnover": "no time passed",
    "capacity": "nothing was traded, or no volume is known",
    "win_rate": _NO_TRADE,
    "payoff": "no winning or no losing trade",
    "profit_factor": "no losing trade",
    "expectancy": _NO_TRADE,
    "best_trade": _NO_TRADE,
    "worst_trade": _NO_TRADE,
    "sqn": "fewer than two trades, or all alike",
    "kelly": "no winning or no losing trade",
    "mae_mean": _NO_TRADE,
    "mfe_mean": _NO_TRADE,
    "duration_bars": _NO_TRADE,
    "duration_days": _NO_TRADE,
    "cost_share": "nothing was gained before costs",
    "break_even_cost": _NO_TRADE,
}
