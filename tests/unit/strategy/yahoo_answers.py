"""Answers in the form of Yahoo Finance's charts: Apple around its split of 2014, as adjusted for that of 2020 too."""

from __future__ import annotations

import copy
from typing import Any, Final

__all__ = ["AAPL", "NOTHING", "aapl"]

AAPL: Final[dict[str, Any]] = {
    "chart": {
        "result": [
            {
                "meta": {
                    "currency": "USD",
                    "symbol": "AAPL",
                    "exchangeName": "NMS",
                    "instrumentType": "EQUITY",
                    "gmtoffset": -14400,
                    "exchangeTimezoneName": "America/New_York",
                    "dataGranularity": "1d",
                },
                "timestamp": [1401975000, 1402061400, 1402320600, 1402407000, 1407418200],
                "events": {
                    "dividends": {"1407418200": {"amount": 0.1175, "date": 1407418200}},
                    "splits": {
                        "1598880600": {"date": 1598880600, "numerator": 4.0, "denominator": 1.0, "splitRatio": "4:1"},
                        "1402320600": {"date": 1402320600, "numerator": 7.0, "denominator": 1.0, "splitRatio": "7:1"},
                    },
                },
                "indicators": {
                    "quote": [
                        {
                            "open": [
                                23.07857131958008,
                                23.210714340209961,
                                23.174999237060547,
                                23.682500839233398,
                                None,
                            ],
                            "high": [
                                23.191785812377930,
                                23.259286880493164,
                                23.469999313354492,
                                23.762500762939453,
                                23.9,
                            ],
                            "low": [
                                22.950357437133789,
                                23.016786575317383,
                                22.937500000000000,
                                23.392499923706055,
                                23.5,
                            ],
                            "close": [23.119642257690430, 23.056072235107422, 23.424999237060547, 23.5625, 23.6],
                            "volume": [303805600, 349938400, 301660000, 251108000, 100],
                        }
                    ],
                    "adjclose": [{"adjclose": [20.41, 20.36, 20.68, 20.80, 20.9]}],
                },
            }
        ],
        "error": None,
    }
}
NOTHING: Final[dict[str, Any]] = {
    "chart": {"result": None, "error": {"code": "Not Found", "description": "No data found, symbol may be delisted"}}
}


def aapl(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return a copy of the answer with parts of its result replaced."""
    found = copy.deepcopy(AAPL)
    found["chart"]["result"][0] |= changed
    return found
