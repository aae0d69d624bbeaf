"""Alarms: when an auditor must see first what officers record, because it has too many people."""

from app.entries.alarms.totals import find_alarm as find_alarm
