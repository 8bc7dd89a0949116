"""W1 through engines that take a step in Python for each bar: some bars of it, because all take minutes.

NautilusTrader fills what is asked for at a close at that close, and rounds prices to six decimals: it ends elsewhere.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from benchmarks.contest import CASH, FAST, FEE, SLOW, Came, Work
from benchmarks.peer_rules import crossed

if TYPE_CHECKING:
    from benchmarks.market import Market

__all__ = ["WORKS"]

_PLACES: Final = 6


def _backtrader_w1(market: Market) -> Work:
    import backtrader as bt  # noqa: PLC0415 - may be missing
    import pandas as pd  # noqa: PLC0415 - comes with the others

    prices = {"open": market.open, "high": market.high, "low": market.low, "close": market.close}
    frame = pd.DataFrame({**prices, "volume": 1.0}, index=pd.to_datetime(market.ts))

    class Crossover(bt.Strategy):  # type: ignore[misc] # ships no types
        def __init__(self) -> None:
            fast, slow = (bt.indicators.SMA(self.data.close, period=length) for length in (FAST, SLOW))
            self.fast, self.slow, self.closed = fast, slow, 0

        def next(self) -> None:
            if len(self.data) <= SLOW:
                return
            was, now = self.fast[-1] > self.slow[-1], self.fast[0] > self.slow[0]
            if now and not was and not self.position:
                self.buy()
            elif was and not now and self.position:
                self.close()

        def notify_trade(self, trade: Any) -> None:  # noqa: ANN401 - theirs
            self.closed += bool(trade.isclosed)

    class AllCash(bt.Sizer):  # type: ignore[misc] # ships no types
        def _getsizing(self, _info: Any, cash: float, data: Any, _isbuy: bool) -> float:  # noqa: ANN401, FBT001
            return float(cash / (data.open[1] * (1.0 + FEE))) * (1.0 - 1e-15)  # the open it fills at

    def work() -> Came:
        engine = bt.Cerebro(stdstats=False)
        engine.adddata(bt.feeds.PandasData(dataname=frame))
        engine.addstrategy(Crossover)
        engine.addsizer(AllCash)
        engine.broker.setcash(CASH)
        engine.broker.setcommission(FEE)
        engine.broker.set_checksubmit(False)
        (ran,) = engine.run()
        return Came(float(engine.broker.getvalue()), ran.closed)

    return work


def _bt_w1(market: Market) -> Work:
    import bt  # noqa: PLC0415 - may be missing
    import pandas as pd  # noqa: PLC0415 - comes with it

    index = pd.to_datetime(market.ts)
    opens = pd.DataFrame({"x": market.open}, index=index)  # it fills at the price of the bar it decides on
    prices = dict(zip(index, market.open.tolist(), strict=True))

    class Crossover(bt.Algo):  # type: ignore[misc] # ships no types
        def __init__(self) -> None:
            super().__init__()
            closes = pd.Series(market.close)
            fast, slow = (closes.rolling(length).mean().to_numpy() for length in (FAST, SLOW))
            self.rises, self.falls = (frozenset(index[side]) for side in crossed(fast, slow, SLOW - 1))
            self.closed = 0

        def __call__(self, target: Any) -> bool:  # noqa: ANN401 - theirs
            held = target.children["x"].position if "x" in target.children else 0.0
            if target.now in self.rises and not held:
                target.transact(target.capital / (prices[target.now] * (1.0 + FEE)), child="x")
            elif target.now in self.falls and held:
                target.transact(-held, child="x")
                self.closed += 1
            return True

    def work() -> Came:
        rule = Crossover()
        test = bt.Backtest(
            bt.Strategy("crossover", [rule], children=["x"]),
            opens,
            initial_capital=CASH,
            commissions=lambda qty, price: abs(qty) * price * FEE,
            integer_positions=False,
            progress_bar=False,
        )
        test.run()
        (ran,) = test.strategy.stack.algos
        book = test.strategy
        return Came(float(book.capital + book.children["x"].position * market.close[-1]), ran.closed)

    return work


def _nautilus_pair() -> Any:  # noqa: ANN401 - theirs
    from nautilus_trader.model import currencies, identifiers, instruments, objects  # noqa: PLC0415 - may be missing

    symbol = identifiers.Symbol("X")
    return instruments.CurrencyPair(
        instrument_id=identifiers.InstrumentId(symbol, identifiers.Venue("SIM")),
        raw_symbol=symbol,
        base_currency=currencies.BTC,
        quote_currency=currencies.USD,
        price_precision=_PLACES,
        size_precision=_PLACES,
        price_increment=objects.Price(10**-_PLACES, _PLACES),
        size_increment=objects.Quantity(10**-_PLACES, _PLACES),
        ts_event=0,
        ts_init=0,
        maker_fee=Decimal(str(FEE)),
        taker_fee=Decimal(str(FEE)),
    )


def _nautilus_w1(market: Market) -> Work:
    from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig  # noqa: PLC0415 - may be missing
    from nautilus_trader.config import LoggingConfig, StrategyConfig  # noqa: PLC0415
    from nautilus_trader.indicators import SimpleMovingAverage  # noqa: PLC0415
    from nautilus_trader.model import currencies, data, enums, objects  # noqa: PLC0415
    from nautilus_trader.trading.strategy import Strategy  # noqa: PLC0415

    usd, pair = currencies.USD, _nautilus_pair()
    name, venue = pair.id, pair.id.venue
    kind = data.BarType.from_str("X.SIM-1-MINUTE-LAST-EXTERNAL")
    depth = objects.Quantity(9e9, _PLACES)  # a bar is a book a quarter as deep as its volume
    rows = zip(market.open, market.high, market.low, market.close, market.ts.tolist(), strict=True)
    bars = [
        data.Bar(kind, *(objects.Price(price, _PLACES) for price in row[:4]), depth, row[4], row[4]) for row in rows
    ]

    class Crossover(Strategy):  # type: ignore[misc] # ships no types
        def __init__(self) -> None:
            super().__init__(StrategyConfig())
            self.fast, self.slow = SimpleMovingAverage(FAST), SimpleMovingAverage(SLOW)
            self.was: bool | None = None
            self.closed = 0

        def on_start(self) -> None:
            self.subscribe_bars(kind)

        def on_bar(self, bar: Any) -> None:  # noqa: ANN401 - theirs
            close = bar.close.as_double()
            self.fast.update_raw(close)
            self.slow.update_raw(close)
            if not self.slow.initialized:
                return
            now, was = self.fast.value > self.slow.value, self.was
            self.was = now
            if was is False and now and self.portfolio.is_flat(name):
                cash = self.portfolio.account(venue).balance_free(usd).as_double()
                self._send(enums.OrderSide.BUY, int(cash / (close * (1.0 + FEE)) * 10**_PLACES - 1) / 10**_PLACES)
            elif was and not now and self.portfolio.is_net_long(name):
                self._send(enums.OrderSide.SELL, float(self.portfolio.net_position(name)))
                self.closed += 1

        def _send(self, side: Any, qty: float) -> None:  # noqa: ANN401 - theirs
            self.submit_order(self.order_factory.market(name, side, objects.Quantity(qty, _PLACES)))

    def work() -> Came:
        engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
        cash = [objects.Money(CASH, usd), objects.Money(0, currencies.BTC)]
        engine.add_venue(venue, enums.OmsType.NETTING, enums.AccountType.CASH, starting_balances=cash)
        engine.add_instrument(pair)
        engine.add_data(bars)
        rule = Crossover()
        engine.add_strategy(rule)
        engine.run()
        account = engine.portfolio.account(venue)
        held = account.balance_total(currencies.BTC).as_double()
        came = Came(account.balance_total(usd).as_double() + held * float(market.close[-1]), rule.closed)
        engine.dispose()
        return came

    return work


WORKS: Final = {
    ("backtrader", "w1"): _backtrader_w1,
    ("bt", "w1"): _bt_w1,
    ("nautilus_trader", "w1"): _nautilus_w1,
}
