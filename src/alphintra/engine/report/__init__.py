"""The report of a backtest as one HTML file: no script, no request to anywhere, readable by people and by machines.

Pure: from the stored figures to text. Texts of people are escaped where they enter the page and nowhere else.
"""
