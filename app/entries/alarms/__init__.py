"""Alarms: when an auditor must see what officers record, because it has too many people."""

from app.entries.alarms.folding import fold_name as fold_name
from app.entries.alarms.totals import find_alarm as find_alarm
from app.entries.alarms.totals import find_lowering_alarm as find_lowering_alarm
from app.entries.alarms.totals import find_urgent_alarm as find_urgent_alarm
