"""Rename tables, columns and states to the field's terms: docs/reference/glossary.md.

Only names change, and the state words of entries and appeals. The audit keeps its old action names, because the hash
of the chain covers them: who reads the audit knows both.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = {
    "proposals": "entries",
    "proposal_people": "entry_subjects",
    "tallies": "statistic_counts",
    "audit_heads": "audit_checkpoints",
}
COLUMNS = {
    "entries": {
        "released_by": "cleared_by",
        "released_for": "clearance_reason",
        "settled_by": "resolved_by",
        "settled_at": "resolved_at",
        "settled_for": "resolution_reason",
    },
    "entry_subjects": {"proposal_id": "entry_id"},
    "cases": {"proposal_id": "entry_id"},
    "officers": {"password_given": "must_change_password", "totp_sealed": "totp_ciphertext"},
    "appeals": {
        "settled_by": "resolved_by",
        "settled_at": "resolved_at",
        "text_sealed": "text_ciphertext",
        "withdrawn": "withdrawn_evidence",
        "added": "added_evidence",
        "decided": "resulting_decision_id",
    },
    "attachments": {"content_sealed": "content_ciphertext"},
    "evidence": {"finding": "dedup_key"},
    "codes": {"held_since": "claimed_at"},
    "station_counts": {"what": "action"},
    "notices": {"settled_at": "updated_at"},
    "wechat_callbacks": {"settled_at": "handled_at", "message_sealed": "message_ciphertext"},
    "citizens": {
        "document_sealed": "document_ciphertext",
        "name_sealed": "name_ciphertext",
        "phone_sealed": "phone_ciphertext",
    },
    "wechat_users": {"openid_sealed": "openid_ciphertext"},
    "wechat_captures": {"sealed": "ciphertext"},
}
# constraints follow the naming convention of app/core/db.py
CONSTRAINTS = {
    "entries": {
        "pk_proposals": "pk_entries",
        "fk_proposals_case_id": "fk_entries_case_id",
        "fk_proposals_recorder_id": "fk_entries_recorder_id",
        "fk_proposals_released_by": "fk_entries_cleared_by",
        "fk_proposals_settled_by": "fk_entries_resolved_by",
    },
    "entry_subjects": {
        "pk_proposal_people": "pk_entry_subjects",
        "fk_proposal_people_proposal_id": "fk_entry_subjects_entry_id",
        "fk_proposal_people_serial": "fk_entry_subjects_serial",
    },
    "cases": {"fk_cases_proposal_id": "fk_cases_entry_id"},
    "appeals": {"fk_appeals_settled_by": "fk_appeals_resolved_by"},
    "statistic_counts": {"pk_tallies": "pk_statistic_counts"},
    "audit_checkpoints": {"pk_audit_heads": "pk_audit_checkpoints"},
}
INDEXES = {
    "ix_cases_proposal_id": "ix_cases_entry_id",
    "ix_proposals_case_id": "ix_entries_case_id",
    "ix_proposals_recorder": "ix_entries_recorder",
    "ix_proposals_state": "ix_entries_state",
    "ix_proposal_people_serial": "ix_entry_subjects_serial",
    "ix_proposal_people_evidence_id": "ix_entry_subjects_evidence_id",
    "ix_appeals_settled_at": "ix_appeals_resolved_at",
    "uq_evidence_finding": "uq_evidence_dedup_key",
}
STATES = (
    ("entries", "state", "refused", "rejected"),
    ("entries", "state", "taken-back", "withdrawn"),
    ("entries", "alarm", "of-one-proposal", "of-one-entry"),
    ("appeals", "state", "mended", "overturned"),
)


def upgrade() -> None:
    for old, new in TABLES.items():
        op.rename_table(old, new)
    op.execute("alter sequence proposals_id_seq rename to entries_id_seq")
    for table, columns in COLUMNS.items():
        for old, new in columns.items():
            op.alter_column(table, old, new_column_name=new)
    for table, names in CONSTRAINTS.items():
        for old, new in names.items():
            op.execute(f"alter table {table} rename constraint {old} to {new}")
    for old, new in INDEXES.items():
        op.execute(f"alter index {old} rename to {new}")
    for table, column, old, new in STATES:
        op.execute(f"update {table} set {column} = '{new}' where {column} = '{old}'")  # noqa: S608 - our own words
