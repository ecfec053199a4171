"""What operators have to know, counted from the database: per-process counters lie under several workers.

`counts` reads, `tallies` counts an hour that is over once and for all, `statistics` computes, `rules` judges, `alerts`
opens and resolves, `telling` tells, `run` does all of it.
"""
