"""Where the weights are while a network works, within the memory that there is.

Which module to open for which question:

- What are the words: pass, unit, variant, trace, plan, effect? `plan`.
- Which modules of a network are its units, and where are their bytes? `units`, `weights`.
- What does a pass take? `clip_traces` (all passes of a clip) from `dry_run`, `workspace` and
  `live_values`, on networks without weights (`meta_networks`, `model_sizes`, `ways`).
- Which plan is best for a budget? `planner`, by the clocks of `timeline`; for a clip `clip_plan`.
- How fast is the device? `cards` (a table), `speeds` and `calibration` (what it really did);
  its kind: `device_kind`.
- How do weights come and go? `residency`, `feeder`, `ring_space`; the device itself: `device`.
- What happens when memory runs out? `ladder`, `out_of_memory`.
- Who puts all of it together for the pipeline? `networks_in_use`.
- How is it tried without a card? `simulated_card`, `simulated_device`.
"""
