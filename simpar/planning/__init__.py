"""A script's plan for any number of devices, without running it on them.

The script runs as it is, once, on one of the imagined devices. Where it would compile and run a program, the program is
compiled and its plan is kept; where it asks for a value that nobody computed, it ends. What the plan says is then
written down as facts. Nothing of this needs MPI, and no parameter that an initializer fills is ever made.

Read it in this order: ``planner`` (takes plans), ``script`` (runs a script under a planner), ``facts`` (what a plan
says, as values), ``tables`` (the same for the terminal), ``keep`` (the same as a run for the dashboard). A program that
was kept is planned again under other layouts: ``imagine`` (from layouts to strategies), ``tally`` (what moves then),
``remedy`` (what makes a collective needless).
"""

from simpar.planning.facts import PlannedArgument, PlannedCollective, PlannedGroup, PlannedMove, ProgramFacts, facts_of
from simpar.planning.imagine import Change, Recorded, compute_layouts, cut_again, imagine, recorded_program
from simpar.planning.keep import keep_plans
from simpar.planning.planner import PlannedProgram, ValueAsked, VirtualPlanner
from simpar.planning.remedy import Remedy, find_remedy
from simpar.planning.script import PlannedScript, ScriptFailure, line_of, plan_script
from simpar.planning.tables import argument_table, collective_table, memory_table, move_table, stored_table
from simpar.planning.tally import Difference, Movement, Tally, compare, starred, tally

__all__ = [
    "Change",
    "Difference",
    "Movement",
    "PlannedArgument",
    "PlannedCollective",
    "PlannedGroup",
    "PlannedMove",
    "PlannedProgram",
    "PlannedScript",
    "ProgramFacts",
    "Recorded",
    "Remedy",
    "ScriptFailure",
    "Tally",
    "ValueAsked",
    "VirtualPlanner",
    "argument_table",
    "collective_table",
    "compare",
    "compute_layouts",
    "cut_again",
    "facts_of",
    "find_remedy",
    "imagine",
    "keep_plans",
    "line_of",
    "memory_table",
    "move_table",
    "plan_script",
    "recorded_program",
    "starred",
    "stored_table",
    "tally",
]
