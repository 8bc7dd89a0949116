"""The seed's claims about database layouts, each measured on a scratch installation and judged by a stated rule.

Order of a run: ``bench.build`` (a layout with rows in it), the measuring modules, ``verdicts.judge`` (pure), ``report``
(JSON), ``page`` (HTML). ``advise`` (pure) turns a report and five answers into a recommendation.
"""
